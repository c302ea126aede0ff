using System;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

/// Messages over TCP with TcpClient, NetworkStream and BitConverter.
///
/// usage: mono Peer.exe ROLE FRAMING PORT SEED COUNT (README.md tells what these mean)
static class Peer
{
    static int Main(string[] args)
    {
        if (args[0] == "server") return Server(args[1]);
        return Client(args[1], int.Parse(args[2]), uint.Parse(args[3]), int.Parse(args[4]));
    }

    static int Client(string framing, int port, uint seed, int count)
    {
        using (var client = new TcpClient("127.0.0.1", port))
        {
            var channel = Channel.Over(client.GetStream(), framing);
            var sender = new Thread(() => SendAll(client, channel, new Messages(framing, seed), count));
            sender.IsBackground = true;
            sender.Start();

            var messages = new Messages(framing, seed);
            for (var index = 0; index < count; index++)
            {
                var expected = messages.Next();
                var message = channel.Receive();
                if (message == null) return Fail("the stream ended before message " + index);
                if (!message.SequenceEqual(expected))
                {
                    return Fail(string.Format("message {0} differs: {1} bytes sent, {2} received",
                        index, expected.Length, message.Length));
                }
            }
            if (channel.Receive() != null) return Fail("more than " + count + " messages received");
        }
        Console.WriteLine("ok " + count);
        return 0;
    }

    static void SendAll(TcpClient client, Channel channel, Messages messages, int count)
    {
        for (var index = 0; index < count; index++) channel.Send(messages.Next());
        client.Client.Shutdown(SocketShutdown.Send);
    }

    static int Fail(string reason)
    {
        Console.WriteLine(reason);
        return 1;
    }

    static int Server(string framing)
    {
        var watcher = new Thread(() =>
        {
            while (Console.In.Read() >= 0) { }
            Environment.Exit(0);
        });
        watcher.IsBackground = true;
        watcher.Start();

        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Console.WriteLine(((IPEndPoint)listener.LocalEndpoint).Port);
        while (true)
        {
            using (var client = listener.AcceptTcpClient())
            {
                var channel = Channel.Over(client.GetStream(), framing);
                byte[] message;
                while ((message = channel.Receive()) != null) channel.Send(message);
            }
        }
    }
}

/// Sends and receives messages over a stream. Receive gives null at the end of the stream.
abstract class Channel
{
    public static Channel Over(Stream stream, string framing)
    {
        switch (framing)
        {
            case "line": return new LineChannel(stream);
            case "varint": return new StringChannel(stream);
            default: return new PrefixChannel(stream, framing);
        }
    }

    public abstract void Send(byte[] message);
    public abstract byte[] Receive();
}

/// Frames with a binary length before the message.
class PrefixChannel : Channel
{
    readonly Stream stream;
    readonly string framing;

    public PrefixChannel(Stream stream, string framing)
    {
        this.stream = stream;
        this.framing = framing;
    }

    public override void Send(byte[] message)
    {
        var header = Header(message.Length);
        var frame = new byte[header.Length + message.Length];
        header.CopyTo(frame, 0);
        message.CopyTo(frame, header.Length);
        stream.Write(frame, 0, frame.Length);
    }

    public override byte[] Receive()
    {
        var header = ReceiveExactly(framing == "u16le" ? 2 : 4);
        if (header == null) return null;
        var size = framing == "u16le" ? BitConverter.ToUInt16(header, 0) : BitConverter.ToInt32(header, 0);
        if (framing == "u32be") size = IPAddress.NetworkToHostOrder(size);
        var message = ReceiveExactly(size);
        if (message == null) throw new EndOfStreamException("the stream ended after a header");
        return message;
    }

    byte[] Header(int size)
    {
        switch (framing)
        {
            case "u16le": return BitConverter.GetBytes((ushort)size);
            case "u32le": return BitConverter.GetBytes(size);
            case "u32be": return BitConverter.GetBytes(IPAddress.HostToNetworkOrder(size));
            default: throw new ArgumentException("unknown framing: " + framing);
        }
    }

    byte[] ReceiveExactly(int size)
    {
        var part = new byte[size];
        var have = 0;
        while (have < size)
        {
            var read = stream.Read(part, have, size - have);
            if (read == 0 && have == 0) return null;
            if (read == 0) throw new EndOfStreamException("the stream ended in the middle of a frame");
            have += read;
        }
        return part;
    }
}

/// Strings as BinaryWriter writes them: their length in bytes as a varint, then UTF-8.
class StringChannel : Channel
{
    readonly BinaryReader reader;
    readonly BinaryWriter writer;

    public StringChannel(Stream stream)
    {
        reader = new BinaryReader(stream);
        writer = new BinaryWriter(stream);
    }

    public override void Send(byte[] message)
    {
        writer.Write(Encoding.UTF8.GetString(message));
        writer.Flush();
    }

    public override byte[] Receive()
    {
        try
        {
            return Encoding.UTF8.GetBytes(reader.ReadString());
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }
}

/// Lines of text. They end with CRLF, as they do on Windows.
class LineChannel : Channel
{
    readonly StreamReader reader;
    readonly StreamWriter writer;

    public LineChannel(Stream stream)
    {
        reader = new StreamReader(stream);
        writer = new StreamWriter(stream) { NewLine = "\r\n", AutoFlush = true };
    }

    public override void Send(byte[] message)
    {
        writer.WriteLine(Encoding.UTF8.GetString(message));
    }

    public override byte[] Receive()
    {
        var line = reader.ReadLine();
        return line == null ? null : Encoding.UTF8.GetBytes(line);
    }
}

/// The messages that every peer makes from the same seed.
class Messages
{
    const string Alphabet = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ.,?éßñЖλ€漢語";
    const int PoolSize = 100000;

    readonly byte[] pool = new byte[PoolSize];
    readonly string text;
    readonly int longest;
    uint state;
    int index;

    public Messages(string framing, uint seed)
    {
        state = seed;
        for (var at = 0; at < PoolSize; at++) pool[at] = (byte)Draw(256);
        var isText = framing == "line" || framing == "varint";
        if (isText) text = new string(pool.Select(each => Alphabet[each % 64]).ToArray());
        longest = isText ? 60000 : framing == "u16le" ? 65535 : 70000;
    }

    public byte[] Next()
    {
        var size = index < 2 ? index * longest : DrawSize();
        index++;
        var offset = Draw(PoolSize - size + 1);
        if (text != null) return Encoding.UTF8.GetBytes(text.Substring(offset, size));
        var message = new byte[size];
        Array.Copy(pool, offset, message, 0, size);
        return message;
    }

    int DrawSize()
    {
        var roll = Draw(100);
        return Draw(Math.Min(longest, roll < 1 ? longest : roll < 10 ? 2000 : 60) + 1);
    }

    int Draw(int bound)
    {
        state = unchecked(state * 1664525 + 1013904223);
        return (int)((ulong)(state >> 8) * (ulong)bound >> 24);
    }
}
