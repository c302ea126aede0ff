// Drives clients/csharp/Lengthwise.cs; suite.ts tells what each driver does.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using Lengthwise;

static class Driver
{
    static int Main(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(false);
        Trust(Environment.GetEnvironmentVariable("CA"));
        switch (args[0])
        {
            case "echo": return Echo(args[1], int.Parse(args[2]), args.ElementAtOrDefault(3));
            case "requests": return Requests(args[1]);
            case "room": return Room(args[1], args[2], int.Parse(args[3]));
            default: return Fail(args[1], args.ElementAtOrDefault(2));
        }
    }

    /// <summary>Mono's store of the user decides; here it lies beside the file.</summary>
    static void Trust(string file)
    {
        if (file == null) return;
        Environment.SetEnvironmentVariable("XDG_CONFIG_HOME", Path.GetDirectoryName(file));
        var authority = new Mono.Security.X509.X509Certificate(new X509Certificate2(file).RawData);
        Mono.Security.X509.X509StoreManager.NewCurrentUser.TrustedRoot.Import(authority);
    }

    static Connection Connect(string endpoint, string token = null)
    {
        return Connection.Connect(endpoint, new Options
        {
            Token = token, MinRetryDelay = 1, MaxRetryDelay = 20, HeartbeatInterval = 150, HeartbeatTimeout = 250,
        });
    }

    static byte[] Message(int i)
    {
        var size = i % 1000 == 999 ? 150000 : (int)(i * 7919L % 1500);
        return Encoding.ASCII.GetBytes(i + ":" + new string('x', size));
    }

    static int Echo(string endpoint, int count, string token)
    {
        var connection = Connect(endpoint, token);
        var sending = new Thread(() =>
        {
            for (var i = 0; i < count; i++) connection.Send(Message(i));
            connection.Flush();
        });
        sending.Start();
        for (var i = 0; i < count; i++)
            if (!(connection.Receive() ?? new byte[0]).SequenceEqual(Message(i))) throw new Exception("message " + i + " differs");
        sending.Join();
        connection.Close(4001, "done");
        var session = connection as Session;
        Console.WriteLine("ok " + count + " " + (session == null ? 0 : session.Resumes));
        return 0;
    }

    static int cancelled;
    static readonly List<string> logged = new List<string>();

    static int Number(Value value, string name)
    {
        return int.Parse(Regex.Match(value.Json, "\"" + name + "\":(\\d+)").Groups[1].Value);
    }

    static Value Json(object number) { return new Value(number.ToString()); }

    static IEnumerable<Value> Count(int to)
    {
        for (var n = 1; n <= to; n++) yield return Json(n);
    }

    static readonly Dictionary<string, Func<Request, object>> handlers = new Dictionary<string, Func<Request, object>>
    {
        { "add", r => Json(Number(r.Params, "a") + Number(r.Params, "b")) },
        { "nothing", r => null },
        { "null", r => new Value("null") },
        { "same", r => r.Params },
        { "cancelled", r => Json(cancelled) },
        { "log", r => { lock (logged) logged.Add(r.Params.Json); return null; } },
        { "logged", r => { lock (logged) return new Value("[" + string.Join(",", logged) + "]"); } },
        { "fail", r => { throw new RequestException("sad", "no way", new Value("{\"why\":1}")); } },
        { "crash", r => { throw new Exception("secret"); } },
        { "wait", r => { r.Cancelled.WaitHandle.WaitOne(); Interlocked.Increment(ref cancelled); return null; } },
        { "total", r => Json(r.Items.Sum(item => item.Bytes.Length)) },
        { "count", r => Count(Number(r.Params, "to")) },
    };

    static string Show(Value value)
    {
        if (value == null) return "null";
        return value.Json ?? BitConverter.ToString(value.Bytes).Replace("-", "").ToLower();
    }

    static void Wrong(Action ask)
    {
        try { ask(); }
        catch (RequestException error)
        {
            Console.WriteLine(error.Code == "timeout" ? error.Code : error.Code + " " + error.Message + " " + Show(error.Data));
        }
    }

    static int Requests(string endpoint)
    {
        var peer = new Peer(Connect(endpoint), handlers);
        var sum = new Value("{\"a\":1,\"b\":2}");
        Console.WriteLine("add " + Show(peer.Request("add", sum)));
        Console.WriteLine("nothing " + Show(peer.Request("nothing")));
        Console.WriteLine("same " + Show(peer.Request("same", new Value(new byte[] { 1, 2, 255 }))));
        Console.WriteLine("text " + peer.Request("same", new Value("\"grüße 漢字\"")).Json.Trim('"'));
        Console.WriteLine("large " + peer.Request("same", new Value(new byte[3000000])).Bytes.Length);
        Wrong(() => peer.Request("nope", new Value("null")));
        Wrong(() => peer.Request("fail"));
        Wrong(() => peer.Request("crash"));
        Wrong(() => peer.Request("wait", timeout: 30));
        Wrong(() => peer.Request("count", new Value("{\"to\":3}")));
        Wrong(() => peer.Stream("add", sum).First());
        Console.WriteLine("count " + peer.Stream("count", new Value("{\"to\":500}")).Sum(n => int.Parse(n.Json)));
        peer.Stream("count", new Value("{\"to\":1000000}")).Take(3).Last();
        var items = Enumerable.Range(0, 700).Select(i => new Value(new byte[i % 7]));
        Console.WriteLine("total " + Show(peer.Request("total", items: items)));
        peer.Notify("log", new Value("\"hi\""));
        Console.WriteLine("logged " + Show(peer.Request("logged")));
        long many = 0;
        var threads = Enumerable.Range(0, 20).Select(t => new Thread(() =>
        {
            for (var i = t; i < 2000; i += 20)
                Interlocked.Add(ref many, int.Parse(peer.Request("add", new Value("{\"a\":" + i + ",\"b\":1}")).Json));
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Console.WriteLine("many " + many);
        Console.WriteLine("cancelled " + Show(peer.Request("cancelled")));
        peer.Request("done");
        peer.WaitForEnd();
        Console.WriteLine("over");
        return 0;
    }

    static int Room(string endpoint, string name, int count)
    {
        var said = new List<string>();
        var all = new ManualResetEvent(false);
        var peer = new Peer(Connect(endpoint), new Dictionary<string, Func<Request, object>>
        {
            { "said", r => { said.Add(r.Params.Json); if (said.Count == count) all.Set(); return null; } },
        });
        peer.Request("enter", new Value("\"" + name + "\""));
        peer.Notify("say", new Value("\"I am " + name + "\""));
        all.WaitOne();
        peer.Close();
        Console.WriteLine("[" + string.Join(",", said) + "]");
        return 0;
    }

    static int Fail(string endpoint, string how)
    {
        Connection connection = null;
        try
        {
            connection = Connect(endpoint);
            if (how == "requests") new Peer(connection).Request("add", new Value("{\"a\":1,\"b\":2}"));
            while (connection.Receive() != null) { }
            connection.Close();
            Console.WriteLine("no error");
        }
        catch (LengthwiseException error)
        {
            if (connection != null) connection.Dispose();
            var refused = error as RefusedException;
            var name = error.GetType().Name.Replace("Exception", "Error");
            Console.WriteLine(name + " " + (refused == null ? 0 : refused.Code) + " " + error.Message);
        }
        return 0;
    }
}
