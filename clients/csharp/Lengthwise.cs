// A client of Lengthwise: messages, sessions, requests and streams.
//
// One file for C# 7 and newer, on .NET, .NET Framework 4.7 and Mono: copy it into your project.
//
//     using (var connection = Connection.Connect("tcp://127.0.0.1:7000?session=1"))
//     {
//         connection.Send(Encoding.UTF8.GetBytes("hello"));
//         byte[] message = connection.Receive(); // null at the end
//     }
//
// Endpoints are tcp://HOST:PORT and tls://HOST:PORT. ?framing= names the framing: u8, u16be to u64le or
// varint; the default is u32be. ?session=1 asks for a session, which survives the loss of its
// sockets. Calls wait; all of them may be made by several threads at a time.
//
// docs/protocol.md and docs/requests.md of Lengthwise describe every byte.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Lengthwise
{
    /// <summary>The base of all errors here.</summary>
    public class LengthwiseException : Exception
    {
        public LengthwiseException(string message, Exception cause = null) : base(message, cause) { }
    }

    /// <summary>The connection or session could not be opened.</summary>
    public class ConnectException : LengthwiseException
    {
        public ConnectException(Exception cause) : this(cause.Message, cause) { }

        internal ConnectException(string state, Exception cause) : base("Cannot connect: " + state, cause) { }
    }

    /// <summary>This end has closed the connection.</summary>
    public class ClosedException : LengthwiseException
    {
        public ClosedException() : base("Cannot use connection: it is closed") { }
    }

    /// <summary>The network or the peer has failed.</summary>
    public class LostException : LengthwiseException
    {
        /// <summary>Of a session, one of docs/protocol.md.</summary>
        public readonly int Code;

        /// <summary>Of a session, the messages that the peer has not acknowledged.</summary>
        public readonly IReadOnlyList<byte[]> Messages;

        public LostException(string state, int code = 0, IReadOnlyList<byte[]> messages = null)
            : base("Cannot go on with connection: " + state)
        {
            Code = code;
            Messages = messages ?? new byte[0][];
        }
    }

    /// <summary>The server refuses the session.</summary>
    public class RefusedException : LengthwiseException
    {
        public readonly int Code;

        public RefusedException(int code, string text)
            : base("Cannot open session: the server refused it: " + text) { Code = code; }

        internal bool IsRetriable { get { return Code == 4 || Code == 5 || Code == 6 || Code == 17; } }
    }

    /// <summary>The peer broke the rules.</summary>
    public class ProtocolException : LengthwiseException
    {
        internal readonly int Code;

        public ProtocolException(string message, int code = 15) : base(message) { Code = code; }
    }

    /// <summary>A message is above the limit, or too long for the framing.</summary>
    public class TooLargeException : ProtocolException
    {
        public TooLargeException(string message) : base(message) { }
    }

    /// <summary>Options of Connection.Connect. Times are milliseconds, sizes are bytes.</summary>
    public class Options
    {
        public string Framing = "u32be";
        public string Token;
        public bool Session;
        public int MaxMessageBytes = 16 << 20;
        public int ConnectTimeout = 10000;
        public int RetentionTime = 120000;
        public int MaxUnacknowledgedBytes = 8 << 20;
        public int Window = 1 << 20;
        public int HeartbeatInterval = 25000;
        public int HeartbeatTimeout = 20000;
        public int HelloTimeout = 10000;
        public int MinRetryDelay = 500;
        public int MaxRetryDelay = 30000;
        /// <summary>Of tls://; by default the system decides which certificates are trusted, by the authorities in its store.</summary>
        public RemoteCertificateValidationCallback Certificates;
    }

    /// <summary>Turns messages into frames, and a stream into messages.</summary>
    internal class Framing
    {
        readonly int size;
        readonly bool isLittle;
        readonly string name;

        public Framing(string name)
        {
            this.name = name;
            isLittle = name.EndsWith("le");
            var names = new Dictionary<string, int> { { "varint", 0 }, { "u8", 1 }, { "u16", 2 }, { "u24", 3 }, { "u32", 4 }, { "u64", 8 } };
            var stem = name.EndsWith("be") || isLittle ? name.Substring(0, name.Length - 2) : name;
            if (!names.TryGetValue(stem, out size) || (stem == name) != (size < 2))
                throw new ArgumentException("Cannot use framing " + name + ": there is u8 to u64le, and varint");
        }

        public bool CanCarrySessions { get { return size != 1; } }

        public byte[] Encode(byte[] message)
        {
            var head = new List<byte>();
            if (size == 0) Bytes.Varint(head, (ulong)message.Length);
            else if (size < 4 && message.Length >= 1 << 8 * size)
                throw new TooLargeException("Cannot send message of " + message.Length + " bytes: too long for " + name);
            for (var i = 0; i < size; i++)
            {
                var shift = 8 * (isLittle ? i : size - 1 - i);
                head.Add(shift < 32 ? (byte)(message.Length >> shift) : (byte)0);
            }
            return Bytes.Join(head.ToArray(), message);
        }

        /// <summary>The next message; null where the stream ends between messages.</summary>
        public byte[] Read(Stream stream, int most)
        {
            ulong length = 0;
            var first = stream.ReadByte();
            if (first < 0) return null;
            for (var i = 0; i < (size == 0 ? 8 : size); i++)
            {
                var part = i == 0 ? first : stream.ReadByte();
                if (part < 0) throw Cut();
                if (size == 0) length |= (ulong)(part & 0x7f) << 7 * i;
                else length |= (ulong)part << 8 * (isLittle ? i : size - 1 - i);
                if (size == 0 && part < 0x80) break;
                if (size == 0 && i == 7) throw new ProtocolException("Cannot receive message: its length is above 2^53 - 1");
            }
            if (length > (ulong)most)
                throw new TooLargeException("Cannot receive message of " + length + " bytes: limit is " + most + " bytes");
            var message = new byte[length];
            for (int at = 0, read; at < message.Length; at += read)
            {
                read = stream.Read(message, at, message.Length - at);
                if (read == 0) throw Cut();
            }
            return message;
        }

        static Exception Cut() { return new LostException("the stream ended within it, in a message"); }
    }

    internal static class Bytes
    {
        public static readonly UTF8Encoding Utf8 = new UTF8Encoding(false, true);

        public static byte[] Join(params byte[][] parts)
        {
            var whole = new byte[parts.Sum(part => part.Length)];
            var at = 0;
            foreach (var part in parts)
            {
                Buffer.BlockCopy(part, 0, whole, at, part.Length);
                at += part.Length;
            }
            return whole;
        }

        public static void Varint(List<byte> target, ulong value)
        {
            for (; value >= 0x80; value >>= 7) target.Add((byte)(value & 0x7f | 0x80));
            target.Add((byte)value);
        }

        /// <summary>A number of so many bytes, the high byte first.</summary>
        public static byte[] Big(int bytes, long value)
        {
            var result = new byte[bytes];
            for (var i = bytes - 1; i >= 0; i--, value >>= 8) result[i] = (byte)value;
            return result;
        }

        public static long Big(byte[] from, int at, int bytes)
        {
            long value = 0;
            for (var i = 0; i < bytes; i++) value = value << 8 | from[at + i];
            return value;
        }

        /// <summary>A text, cut before the character that does not fit.</summary>
        public static byte[] Text(string text, int most)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            if (bytes.Length <= most) return bytes;
            while ((bytes[most] & 0xc0) == 0x80) most--;
            return bytes.Take(most).ToArray();
        }

        public static byte[] From(byte[] bytes, int at, int end = -1)
        {
            var part = new byte[(end < 0 ? bytes.Length : end) - at];
            Buffer.BlockCopy(bytes, at, part, 0, part.Length);
            return part;
        }
    }

    /// <summary>A connection that carries whole messages in order.</summary>
    public abstract class Connection : IDisposable
    {
        /// <summary>Sends a message. Waits while the peer is slow.</summary>
        public abstract void Send(byte[] message);

        /// <summary>The next message; null at the end.</summary>
        public abstract byte[] Receive();

        /// <summary>Of a session: waits until the peer has received everything.</summary>
        public virtual void Flush() { }

        /// <summary>Closes in order. What was not received is dropped. Only sessions tell code and reason.</summary>
        public abstract void Close(uint? code = null, string reason = "");

        /// <summary>Ends at once. What was not sent is dropped.</summary>
        public abstract void Abort();

        public void Dispose()
        {
            try { Close(); }
            catch (LengthwiseException) { } // Whoever uses it has seen the error.
        }

        /// <summary>Connects, and greets over a session. Throws ConnectException or RefusedException.</summary>
        public static Connection Connect(string endpoint, Options options = null)
        {
            options = options ?? new Options();
            var uri = new Uri(endpoint.Contains("://") ? endpoint : "tcp://" + endpoint);
            if ((uri.Scheme != "tcp" && uri.Scheme != "tls") || uri.Port < 0)
                throw new ArgumentException("Cannot connect to " + endpoint + ": write tcp://HOST:PORT or tls://HOST:PORT");
            var isSession = options.Session;
            var name = options.Framing;
            foreach (var pair in uri.Query.TrimStart('?').Split('&').Select(pair => pair.Split('=')))
            {
                if (pair[0] == "framing" && pair.Length > 1) name = pair[1];
                if (pair[0] == "session" && pair.Length > 1) isSession = pair[1] == "1" || pair[1] == "true";
            }
            var framing = new Framing(name);
            if (!isSession) return new Plain(new Wire(uri, options, options.ConnectTimeout), framing, options);
            if (!framing.CanCarrySessions) throw new ArgumentException("Cannot use framing " + name + " for a session");
            var session = new Session(uri, framing, options);
            session.Open();
            return session;
        }
    }

    /// <summary>A socket.</summary>
    internal class Wire
    {
        public readonly Stream Input;
        public readonly Stream Output;
        readonly TcpClient client = new TcpClient { NoDelay = true };
        Timer closing;

        public Wire(Uri uri, Options options, int timeout)
        {
            var clock = Stopwatch.StartNew();
            Action<Task> finish = task =>
            {
                if (!task.Wait((int)Math.Max(1, timeout - clock.ElapsedMilliseconds)))
                    throw new TimeoutException("it took too long");
            };
            string distrust = null;
            try
            {
                finish(client.ConnectAsync(uri.Host, uri.Port));
                Output = client.GetStream();
                if (uri.Scheme == "tls")
                {
                    var tls = new SslStream(Output, false, (sender, certificate, chain, errors) =>
                    {
                        var isTrusted = options.Certificates == null ? errors == SslPolicyErrors.None
                            : options.Certificates(sender, certificate, chain, errors);
                        distrust = isTrusted ? null : Distrust(uri.Host, chain, errors);
                        return isTrusted;
                    });
                    Output = tls;
                    finish(tls.AuthenticateAsClientAsync(uri.Host));
                }
                Input = new BufferedStream(new ReadOnly(Output), 65536);
            }
            catch (Exception error)
            {
                client.Close();
                var cause = error.GetBaseException();
                throw new ConnectException(distrust ?? cause.Message, cause); // TLS says that it failed, but not why.
            }
        }

        /// <summary>Why a certificate is not trusted.</summary>
        static string Distrust(string host, X509Chain chain, SslPolicyErrors errors)
        {
            const X509ChainStatusFlags unknown = X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot;
            if ((errors & SslPolicyErrors.RemoteCertificateNotAvailable) != 0) return "the server has no certificate";
            var reasons = new List<string>();
            if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0) reasons.Add("it is not for " + host);
            var isWrong = (errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0 && chain != null;
            foreach (var status in isWrong ? chain.ChainStatus : new X509ChainStatus[0])
                if ((status.Status & unknown) != 0) reasons.Add("its issuer is unknown");
                else if ((status.Status & X509ChainStatusFlags.NotTimeValid) != 0) reasons.Add("it has expired, or is not valid yet");
                else if (status.Status != X509ChainStatusFlags.NoError) reasons.Add(status.Status.ToString());
            if (reasons.Count == 0) reasons.Add(errors == SslPolicyErrors.None ? "Options.Certificates refuses it" : errors.ToString());
            return "the server's certificate is not trusted: " + string.Join("; ", reasons.Distinct());
        }

        /// <summary>Half-closes; whoever reads has so many milliseconds for the peer's end.</summary>
        public void End(int linger)
        {
            try
            {
                // A timeout of the socket would not end a call that waits already.
                closing = new Timer(_ => client.Close(), null, linger, Timeout.Infinite);
                if (Output is SslStream tls && !tls.ShutdownAsync().Wait(linger)) client.Close();
                else client.Client.Shutdown(SocketShutdown.Send);
            }
            catch (Exception) { client.Close(); } // It has gone already.
        }

        public void Close()
        {
            if (closing != null) closing.Dispose();
            client.Close();
        }

        public void Reset()
        {
            try { client.LingerState = new LingerOption(true, 0); }
            catch (Exception) { } // It has gone already.
            client.Close();
        }

        /// <summary>The reading half, so that a buffer for it does not care about writes.</summary>
        class ReadOnly : Stream
        {
            readonly Stream inner;
            public ReadOnly(Stream inner) { this.inner = inner; }
            public override bool CanRead { get { return true; } }
            public override bool CanSeek { get { return false; } }
            public override bool CanWrite { get { return false; } }
            public override long Length { get { throw new NotSupportedException(); } }
            public override long Position { get { throw new NotSupportedException(); } set { throw new NotSupportedException(); } }
            public override int Read(byte[] buffer, int offset, int count) { return inner.Read(buffer, offset, count); }
            public override void Flush() { }
            public override long Seek(long offset, SeekOrigin origin) { throw new NotSupportedException(); }
            public override void SetLength(long value) { throw new NotSupportedException(); }
            public override void Write(byte[] buffer, int offset, int count) { throw new NotSupportedException(); }
        }
    }

    internal class Plain : Connection
    {
        readonly Wire wire;
        readonly Framing framing;
        readonly Options options;
        readonly object sending = new object(), reading = new object();
        int isClosed;

        public Plain(Wire wire, Framing framing, Options options)
        {
            this.wire = wire;
            this.framing = framing;
            this.options = options;
            if (options.Token != null) Send(Encoding.UTF8.GetBytes(options.Token));
        }

        public override void Send(byte[] message)
        {
            var frame = framing.Encode(message);
            try { lock (sending) wire.Output.Write(frame, 0, frame.Length); }
            catch (Exception error) { throw Failed(error); }
        }

        public override byte[] Receive()
        {
            try { lock (reading) return framing.Read(wire.Input, options.MaxMessageBytes); }
            catch (Exception error)
            {
                var failure = Failed(error);
                Abort();
                throw failure;
            }
        }

        Exception Failed(Exception error)
        {
            if (isClosed != 0) return new ClosedException();
            return error as LengthwiseException ?? new LostException(error.GetBaseException().Message);
        }

        public override void Close(uint? code = null, string reason = "")
        {
            if (Interlocked.Exchange(ref isClosed, 1) != 0) return;
            wire.End(5000);
            try
            {
                var rest = new byte[65536];
                lock (reading) while (wire.Input.Read(rest, 0, rest.Length) > 0) { }
            }
            catch (Exception) { } // The peer did not end in time, or has failed: it is over.
            wire.Close();
        }

        public override void Abort()
        {
            if (Interlocked.Exchange(ref isClosed, 1) == 0) wire.Reset();
        }
    }

    /// <summary>A connection that survives its sockets: each message arrives once and in order.</summary>
    public class Session : Connection
    {
        const int MaxData = 65521 - 9, AckDelay = 25;

        class Carrier
        {
            public Wire Wire;
            public bool IsGreeted, IsEnding, IsGone, IsOrderly, IsAckDue, WantsPing;
            public Exception Error;
            public byte[] Pong;
            public long AckAt = long.MaxValue, Heard, Pings;
        }

        readonly Uri uri;
        readonly Framing framing;
        readonly Framing messages = new Framing("u32be");
        readonly Options options;
        readonly object gate = new object();
        readonly Random random = new Random();
        static readonly Stopwatch clock = Stopwatch.StartNew();
        Carrier carrier;
        byte[] id = new byte[16];
        uint attempt;
        long retention;
        bool isOpen, isOver, isClosed;
        Exception error;
        // This end's stream: frames that are not acknowledged, each with its end.
        readonly LinkedList<KeyValuePair<long, byte[]>> kept = new LinkedList<KeyValuePair<long, byte[]>>();
        LinkedListNode<KeyValuePair<long, byte[]>> cursor;
        long written, acked, sent, maxSent, limit, askedAt = -1;
        byte[] end;
        bool wantsAck;
        // The peer's stream.
        readonly Queue<byte[]> inbox = new Queue<byte[]>();
        long inboxBytes, received, toldReceived, toldLimit;
        readonly MemoryStream partial = new MemoryStream();
        bool isPeerEnded;

        internal Session(Uri uri, Framing framing, Options options)
        {
            this.uri = uri;
            this.framing = framing;
            this.options = options;
            retention = options.RetentionTime;
            DrainReason = PeerReason = "";
        }

        /// <summary>How often the session has continued on another socket.</summary>
        public int Resumes { get; private set; }

        /// <summary>Not empty when the server asks for another session elsewhere.</summary>
        public string DrainReason { get; private set; }

        /// <summary>The code with which the peer has ended, if it has told one.</summary>
        public uint? PeerCode { get; private set; }

        /// <summary>The reason with which the peer has ended.</summary>
        public string PeerReason { get; private set; }

        internal void Open()
        {
            new Thread(Keep) { IsBackground = true }.Start();
            lock (gate)
            {
                while (!isOpen && !isOver) Monitor.Wait(gate);
                while (isOver && carrier != null) Monitor.Wait(gate); // At most a second, for its last word.
                if (!isOpen || error != null) throw error;
            }
        }

        public override void Send(byte[] message)
        {
            var frame = messages.Encode(message);
            lock (gate)
            {
                while (written - acked >= options.MaxUnacknowledgedBytes && !isClosed)
                {
                    wantsAck = true;
                    Monitor.PulseAll(gate);
                    Monitor.Wait(gate);
                }
                if (isClosed) throw error ?? new ClosedException();
                written += frame.Length;
                kept.AddLast(new KeyValuePair<long, byte[]>(written, frame));
                Monitor.PulseAll(gate);
            }
        }

        public override byte[] Receive()
        {
            lock (gate)
            {
                while (inbox.Count == 0)
                {
                    if (error != null) throw error;
                    if (isPeerEnded) return null;
                    if (isClosed) throw new ClosedException();
                    Monitor.Wait(gate);
                }
                var message = inbox.Dequeue();
                inboxBytes -= message.Length + 4;
                if (ReadLimit - toldLimit >= options.Window / 4) Monitor.PulseAll(gate);
                return message;
            }
        }

        public override void Flush()
        {
            lock (gate)
            {
                for (var target = written; acked < target; Monitor.Wait(gate))
                {
                    if (isOver) throw error ?? new ClosedException();
                    wantsAck = true;
                    Monitor.PulseAll(gate);
                }
            }
        }

        /// <summary>Ends this end's stream; returns when both ends have ended and have everything.</summary>
        public override void Close(uint? code = null, string reason = "")
        {
            lock (gate)
            {
                isClosed = true;
                inbox.Clear();
                inboxBytes = 0;
                if (end == null)
                    end = Bytes.Join(Bytes.Big(1, code.HasValue ? 1 : 0), Bytes.Big(4, code ?? 0), Bytes.Text(reason, 1000));
                Monitor.PulseAll(gate);
                while (!isOver || carrier != null) Monitor.Wait(gate);
                if (error != null) throw error;
            }
        }

        public override void Abort()
        {
            lock (gate)
            {
                Lose(15, "the program aborted it");
                while (carrier != null) Monitor.Wait(gate); // At most a second, for its last word.
            }
        }

        /// <summary>
        /// What waits in the inbox is not read. The start of a message has left the window, and comes
        /// back with its end; but a limit never falls.
        /// </summary>
        long ReadLimit { get { return Math.Max(toldLimit, received - (isPeerEnded ? 1 : 0) - inboxBytes + options.Window); } }

        bool IsComplete { get { return end != null && acked == written + 1 && isPeerEnded; } }

        static long Now { get { return clock.ElapsedMilliseconds; } }

        /// <summary>Makes a new carrier whenever the session has lost one.</summary>
        void Keep()
        {
            var failures = 0;
            var expiry = Now + retention;
            for (; ; )
            {
                long progress;
                lock (gate) progress = acked + received;
                Exception failure;
                Carrier last = null;
                try
                {
                    var wire = new Wire(uri, options, (int)Math.Min(options.ConnectTimeout, expiry - Now));
                    last = new Carrier { Wire = wire };
                    failure = Carry(last);
                }
                catch (LengthwiseException wrong) { failure = wrong; }
                lock (gate)
                {
                    if (last != null && last.IsGreeted) expiry = Now + retention;
                    var refusal = failure as RefusedException;
                    if (IsComplete && (refusal != null || last != null && last.IsOrderly)) Finish(null);
                    if (!isOpen) Finish(failure is RefusedException || failure is ConnectException ? failure : new ConnectException(failure));
                    else if (refusal != null && !refusal.IsRetriable) Lose(refusal.Code, refusal.Message);
                    else if (Now >= expiry && isPeerEnded && acked == written) Finish(null);
                    else if (Now >= expiry) Lose(16, "the peer stayed away for " + retention + " ms");
                    failures = acked + received > progress ? 1 : failures + 1;
                    var bound = Math.Min(options.MaxRetryDelay, options.MinRetryDelay * Math.Pow(2, Math.Min(failures - 1, 32)));
                    for (var due = Now + (long)(random.NextDouble() * bound); !isOver && Now < due;)
                        Monitor.Wait(gate, (int)Math.Max(1, due - Now));
                    if (isOver) return;
                }
            }
        }

        /// <summary>Lives on one carrier until that is lost. Gives the reason.</summary>
        Exception Carry(Carrier c)
        {
            byte[] first = new byte[0], hello;
            lock (gate)
            {
                if (isOver)
                {
                    c.Wire.Close();
                    return new ClosedException();
                }
                carrier = c;
                cursor = null;
                attempt++;
                Told(c);
                hello = Bytes.Join(Encoding.ASCII.GetBytes("\u0001LWSP\u0001"), id, Bytes.Big(8, received),
                    Bytes.Big(8, toldLimit), Bytes.Big(4, options.RetentionTime), Bytes.Big(4, attempt));
            }
            if (options.Token != null) first = framing.Encode(Encoding.UTF8.GetBytes(options.Token));
            var writer = new Thread(() => Write(c, Bytes.Join(first, framing.Encode(hello)))) { IsBackground = true };
            writer.Start();
            new Thread(() => Read(c)) { IsBackground = true }.Start();
            lock (gate)
            {
                var due = Now + options.HelloTimeout;
                while (!c.IsGreeted && !c.IsGone && Now < due) Monitor.Wait(gate, (int)Math.Max(1, due - Now));
                if (c.IsGreeted && !isOpen)
                {
                    isOpen = true;
                    Monitor.PulseAll(gate);
                }
                if (!c.IsGreeted && !c.IsGone) Drop(c, "no WELCOME came within " + options.HelloTimeout + " ms");
                Watch(c);
                while (!c.IsGone) Monitor.Wait(gate);
                c.IsEnding = true;
                Monitor.PulseAll(gate);
            }
            c.Wire.Close();
            writer.Join();
            lock (gate)
            {
                carrier = null;
                askedAt = -1;
                Told(c);
                Monitor.PulseAll(gate);
                return c.Error;
            }
        }

        /// <summary>Asks a silent peer whether it is there, until the carrier is gone.</summary>
        void Watch(Carrier c)
        {
            var isAsking = false;
            var extensions = 0;
            long asked = 0;
            while (!c.IsGone)
            {
                if (isAsking && c.Heard > asked)
                {
                    isAsking = false;
                    extensions = 0;
                }
                var due = isAsking ? asked + options.HeartbeatTimeout : c.Heard + options.HeartbeatInterval;
                var late = Now - due;
                if (late < 0)
                {
                    Monitor.Wait(gate, (int)Math.Max(1, -late));
                    continue;
                }
                // If this process stood still, bytes of the peer may wait to be read.
                if (isAsking && (late <= options.HeartbeatTimeout / 20 || ++extensions > 3))
                {
                    Drop(c, "the peer is silent");
                    return;
                }
                isAsking = true;
                asked = Now;
                c.WantsPing = true;
                Monitor.PulseAll(gate);
            }
        }

        void Drop(Carrier c, string state)
        {
            c.Error = c.Error ?? new LostException(state);
            c.Wire.Reset();
        }

        void Told(Carrier c)
        {
            toldReceived = received;
            toldLimit = ReadLimit;
            c.IsAckDue = false;
            c.AckAt = long.MaxValue;
        }

        /// <summary>Sends what can be sent, and waits for more. What is there leaves in one write.</summary>
        void Write(Carrier c, byte[] batch)
        {
            try
            {
                for (; ; )
                {
                    c.Wire.Output.Write(batch, 0, batch.Length);
                    bool isLast;
                    lock (gate)
                    {
                        while ((batch = Next(c)).Length == 0 && !c.IsEnding && !c.IsGone)
                            Monitor.Wait(gate, c.AckAt == long.MaxValue ? -1 : (int)Math.Max(1, c.AckAt - Now));
                        isLast = c.IsEnding || c.IsGone;
                    }
                    if (!isLast) continue;
                    if (batch.Length > 0) c.Wire.Output.Write(batch, 0, batch.Length);
                    c.Wire.End(isOver && error != null ? 1000 : 5000);
                    return;
                }
            }
            catch (Exception) { } // Who reads finds out, too, and tells why.
        }

        /// <summary>The frames that can be sent now, at most some of them.</summary>
        byte[] Next(Carrier c)
        {
            if (!c.IsGreeted || c.IsEnding) return new byte[0];
            var batch = new List<byte[]>();
            var bytes = 0;
            Action<byte[][]> add = fields =>
            {
                batch.Add(framing.Encode(Bytes.Join(fields)));
                bytes += batch[batch.Count - 1].Length;
            };
            if (isOver)
            {
                c.IsEnding = true;
                var code = error is ProtocolException wrong ? wrong.Code : error is LostException lost ? lost.Code : 15;
                if (error != null) add(new[] { Bytes.Big(1, 9), Bytes.Big(2, code), Bytes.Text(error.Message, 1000) });
                return Bytes.Join(batch.ToArray());
            }
            long newBytes = received - toldReceived, credit = ReadLimit - toldLimit;
            if (Math.Max(newBytes, credit) >= options.Window / 4 || c.IsAckDue || Now >= c.AckAt || c.Pong != null && newBytes + credit > 0)
            {
                Told(c);
                add(new[] { Bytes.Big(1, 5), Bytes.Big(8, toldReceived), Bytes.Big(8, toldLimit) });
            }
            if (c.Pong != null)
            {
                add(new[] { Bytes.Big(1, 7), c.Pong });
                c.Pong = null;
            }
            var isBlocked = false;
            while (sent < written && bytes < 262144)
            {
                var wanted = Math.Min(written - sent, MaxData);
                var size = Math.Min(wanted, limit - sent);
                if (size < Math.Min(wanted, 16384) && (size <= 0 || sent > acked))
                {
                    // Little credit is not worth a frame while more credit is expected.
                    isBlocked = sent - acked < (limit - acked) / 3;
                    break;
                }
                add(new[] { Bytes.Big(1, 4), Bytes.Big(8, sent), Copy((int)size) });
                sent += size;
            }
            if (end != null && sent == written)
            {
                add(new[] { Bytes.Big(1, 8), Bytes.Big(8, sent), end });
                sent++;
            }
            maxSent = Math.Max(maxSent, sent);
            var isAsked = false;
            if (isBlocked || wantsAck && sent >= written)
            {
                if (sent >= written) wantsAck = false;
                isAsked = askedAt != sent;
                askedAt = sent;
            }
            if (isAsked || c.WantsPing)
            {
                c.WantsPing = false;
                add(new[] { Bytes.Big(1, 6), Bytes.Big(4, ++c.Pings) });
            }
            if (IsComplete && toldReceived == received) c.IsEnding = true;
            return Bytes.Join(batch.ToArray());
        }

        /// <summary>The next bytes of the stream, from `sent` on.</summary>
        byte[] Copy(int size)
        {
            var bytes = new byte[size];
            var at = 0;
            cursor = cursor ?? kept.First;
            while (cursor.Value.Key <= sent) cursor = cursor.Next;
            for (; ; cursor = cursor.Next)
            {
                var from = (int)(sent + at - (cursor.Value.Key - cursor.Value.Value.Length));
                var part = Math.Min(size - at, cursor.Value.Value.Length - from);
                Buffer.BlockCopy(cursor.Value.Value, from, bytes, at, part);
                at += part;
                if (at == size) return bytes;
            }
        }

        /// <summary>Takes frames until the carrier is lost.</summary>
        void Read(Carrier c)
        {
            Exception failure = null;
            try
            {
                for (byte[] frame; (frame = framing.Read(c.Wire.Input, 65536)) != null;)
                {
                    lock (gate)
                    {
                        c.Heard = Now;
                        if (!isOver) Take(c, frame);
                        Monitor.PulseAll(gate);
                        if (c.Error != null) break;
                    }
                }
            }
            catch (Exception wrong) { failure = wrong; }
            lock (gate)
            {
                if (failure is TooLargeException && c.IsGreeted && !isOver) Finish(new ProtocolException(failure.Message, 10));
                c.IsOrderly = failure == null && c.Error == null;
                c.Error = c.Error ?? failure as LengthwiseException ??
                    new LostException(failure == null ? "the server closed the carrier" : failure.GetBaseException().Message);
                c.IsGone = true;
                Monitor.PulseAll(gate);
            }
        }

        static ProtocolException Wrong(int code, string text)
        {
            return new ProtocolException("Cannot receive session frame: " + text, code);
        }

        void Take(Carrier c, byte[] frame)
        {
            try { Frame(c, frame); }
            catch (ProtocolException wrong)
            {
                if (c.IsGreeted) Finish(wrong);
                else c.Error = new ProtocolException("Cannot use carrier: the server does not speak of sessions: " + wrong.Message);
            }
        }

        // By type: how many bytes, whether a text follows, and where numbers of eight bytes are.
        static readonly int[] lengths = { 0, 46, 39, 3, 9, 17, 5, 5, 14, 3, 1 };
        static readonly int[][] wides = { null, null, new[] { 19, 27 }, null, new[] { 1 }, new[] { 1, 9 }, null, null, new[] { 1 }, null, null };

        void Frame(Carrier c, byte[] frame)
        {
            int kind = frame.Length == 0 ? 0 : frame[0];
            if (!c.IsGreeted && kind != 2 && kind != 3 && kind != 9) throw Wrong(9, "no WELCOME came before it");
            if (kind == 0 || kind >= lengths.Length) throw Wrong(8, "there is no type " + kind);
            if (kind == 1 || kind == 2 && c.IsGreeted) throw Wrong(9, "the greeting is over");
            if (kind == 2 && frame.Length > 1 && frame[1] != 1) throw Wrong(1, "the server speaks version " + frame[1] + ", this end 1");
            var hasText = kind == 3 || kind >= 8;
            if (frame.Length < lengths[kind] || frame.Length > lengths[kind] && !hasText && kind != 4)
                throw Wrong(7, frame.Length + " bytes are too few or too many");
            foreach (var at in wides[kind] ?? new int[0])
                if ((ulong)Bytes.Big(frame, at, 8) >= 1UL << 53) throw Wrong(7, "a number is above 2^53 - 1");
            var text = "";
            try
            {
                if (frame.Length - lengths[kind] > 1000 && hasText) throw Wrong(7, "its text is above 1000 bytes");
                if (hasText) text = Bytes.Utf8.GetString(frame, lengths[kind], frame.Length - lengths[kind]);
            }
            catch (ArgumentException) { throw Wrong(7, "its text is not UTF-8"); }
            switch (kind)
            {
                case 2: Welcome(c, frame); break;
                case 3: c.Error = new RefusedException((int)Bytes.Big(frame, 1, 2), text); break;
                case 4: Data(c, Bytes.Big(frame, 1, 8), frame); break;
                case 5: Acknowledged(Bytes.Big(frame, 1, 8), Bytes.Big(frame, 9, 8)); break;
                case 6: c.Pong = Bytes.From(frame, 1); break;
                case 8: Ended(c, Bytes.Big(frame, 1, 8), (frame[9] & 1) != 0 ? (uint?)Bytes.Big(frame, 10, 4) : null, text); break;
                case 9:
                    c.IsEnding = true;
                    Lose((int)Bytes.Big(frame, 1, 2), "the peer ended it: " + text);
                    break;
                case 10: DrainReason = text; break;
            }
        }

        void Welcome(Carrier c, byte[] frame)
        {
            var isResumed = (frame[2] & 1) != 0;
            var theirs = Bytes.From(frame, 3, 19);
            if (isResumed != id.Any(b => b != 0) || isResumed && !theirs.SequenceEqual(id)) throw Wrong(9, "it is of another session");
            id = theirs;
            retention = Math.Min(retention, Bytes.Big(frame, 35, 4));
            if (isResumed) Resumes++;
            c.IsGreeted = c.WantsPing = true;
            var from = Bytes.Big(frame, 19, 8);
            if (from < acked) throw Wrong(12, acked + " were acknowledged before, now " + from);
            Acknowledged(from, Bytes.Big(frame, 27, 8));
            sent = from;
            cursor = null;
        }

        void Data(Carrier c, long offset, byte[] frame)
        {
            var last = offset + frame.Length - 9;
            if (frame.Length == 9) throw Wrong(7, "it is empty");
            if (offset > received) throw Wrong(11, "byte " + offset + " comes after " + received);
            if (isPeerEnded && last >= received) throw Wrong(14, "bytes follow the end");
            if (last > toldLimit) throw Wrong(13, "byte " + last + " is beyond the limit " + toldLimit);
            if (last > received)
            {
                var from = 9 + (int)(received - offset);
                partial.Position = partial.Length;
                partial.Write(frame, from, frame.Length - from);
                received = last;
                Messages();
            }
            if (c.AckAt == long.MaxValue) c.AckAt = Now + AckDelay;
        }

        /// <summary>Takes whole messages out of the bytes that were received.</summary>
        void Messages()
        {
            var bytes = partial.GetBuffer();
            var at = 0;
            var size = (int)partial.Length;
            while (size - at >= 4)
            {
                var length = Bytes.Big(bytes, at, 4);
                if (length > options.MaxMessageBytes)
                    throw new TooLargeException("Cannot receive message of " + length + " bytes: limit is " + options.MaxMessageBytes + " bytes");
                if (size - at - 4 < length) break;
                at += 4;
                if (!isClosed)
                {
                    inbox.Enqueue(Bytes.From(bytes, at, at + (int)length));
                    inboxBytes += 4 + length;
                }
                at += (int)length;
            }
            Buffer.BlockCopy(bytes, at, bytes, 0, size - at);
            partial.SetLength(size - at);
        }

        void Ended(Carrier c, long offset, uint? code, string text)
        {
            if (offset > received) throw Wrong(11, "the end " + offset + " comes after " + received);
            if (!isPeerEnded && offset == received)
            {
                isPeerEnded = true;
                PeerCode = code;
                PeerReason = text;
                received++;
                if (partial.Length > 0 && !isClosed) error = new LostException("the stream ended within it, in a message");
            }
            else if (!isPeerEnded || offset != received - 1) throw Wrong(14, "it ended at " + offset + " and went on to " + received);
            c.IsAckDue = true;
        }

        void Acknowledged(long upTo, long theirLimit)
        {
            if (upTo > maxSent) throw Wrong(12, upTo + " bytes are acknowledged, " + maxSent + " were sent");
            limit = Math.Max(limit, theirLimit);
            if (upTo <= acked) return;
            acked = upTo;
            while (kept.First != null && kept.First.Value.Key <= upTo)
            {
                if (cursor == kept.First) cursor = cursor.Next;
                kept.RemoveFirst();
            }
        }

        void Lose(int code, string state)
        {
            if (!isOver) Finish(new LostException(state, code, kept.Select(one => Bytes.From(one.Value, 4)).ToArray()));
        }

        /// <summary>Ends the session. Who writes tells the peer, if that is possible.</summary>
        void Finish(Exception cause)
        {
            if (isOver) return;
            isOver = isClosed = true;
            error = error ?? cause;
            if (carrier != null && !carrier.IsGreeted) carrier.Wire.Reset();
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>An answer that is an error. Handlers throw it to answer with one.</summary>
    public class RequestException : LengthwiseException
    {
        public readonly string Code;
        public new readonly Value Data;

        public RequestException(string code, string message, Value data = null) : base(message)
        {
            Code = code;
            Data = data;
        }
    }

    /// <summary>What a message carries: JSON, as text, or bytes. Nothing is null.</summary>
    public class Value
    {
        /// <summary>JSON, for the library that reads it; null if the value is bytes.</summary>
        public readonly string Json;

        /// <summary>Null if the value is JSON.</summary>
        public readonly byte[] Bytes;

        public Value(string json) { Json = json; }

        public Value(byte[] bytes) { Bytes = bytes; }
    }

    /// <summary>A request or notification of the peer, as its handler sees it.</summary>
    public class Request
    {
        public Peer Peer { get; internal set; }
        public string Method { get; internal set; }
        public Value Params { get; internal set; }

        /// <summary>Cancelled when the caller cancels, or the connection ends.</summary>
        public CancellationToken Cancelled { get { return source.Token; } }

        /// <summary>The items that the caller sends. They end the request with an error if it is cancelled.</summary>
        public IEnumerable<Value> Items
        {
            get
            {
                if (items != null) items.Begin();
                return items == null ? new Value[0] : items.All(Cancelled);
            }
        }

        internal readonly CancellationTokenSource source = new CancellationTokenSource();
        internal long id;
        internal int size;
        internal Credit window;
        internal Items items;
        internal bool hasItems, isCancelled, isAnswered;
    }

    /// <summary>What this end may send of a stream, by the peer's credit.</summary>
    internal class Credit
    {
        long items, size;

        public void Grant(long more, long bytes)
        {
            lock (this)
            {
                items += more;
                size += bytes;
                Monitor.PulseAll(this);
                if (Math.Max(items, size) > 1L << 48) throw new ProtocolException("Cannot take credit: it is beyond all measure");
            }
        }

        public bool Wait(CancellationToken stop)
        {
            using (stop.Register(() => { lock (this) Monitor.PulseAll(this); }))
                lock (this)
                {
                    while (Math.Min(items, size) < 1 && !stop.IsCancellationRequested) Monitor.Wait(this);
                    return !stop.IsCancellationRequested;
                }
        }

        public void Use(int bytes)
        {
            lock (this)
            {
                items--;
                size -= bytes;
            }
        }
    }

    /// <summary>The receiving end of a stream.</summary>
    internal class Items
    {
        public const int WindowItems = 64, WindowBytes = 256 << 10;
        readonly Queue<KeyValuePair<Value, int>> queue = new Queue<KeyValuePair<Value, int>>();
        readonly Action<long, long> grant;
        long items, size, takenItems, takenBytes;
        bool isBegun, isEnded;
        Exception error;

        public Items(bool isBegun, Action<long, long> grant)
        {
            this.grant = grant;
            this.isBegun = isBegun;
            if (isBegun)
            {
                items = WindowItems;
                size = WindowBytes;
            }
        }

        /// <summary>Grants the first credit, when a handler begins to read.</summary>
        public void Begin()
        {
            lock (this)
            {
                if (isBegun) return;
                isBegun = true;
                items = WindowItems;
                size = WindowBytes;
            }
            grant(WindowItems, WindowBytes);
        }

        public void Put(Value value, int bytes)
        {
            lock (this)
            {
                if (items < 1 || size < 1) throw new ProtocolException("Cannot take item: it has no credit");
                items--;
                size -= bytes;
                if (!isEnded) queue.Enqueue(new KeyValuePair<Value, int>(value, bytes));
                Monitor.PulseAll(this);
            }
        }

        public void End(Exception cause)
        {
            lock (this)
            {
                if (isEnded) return;
                isEnded = true;
                error = cause;
                Monitor.PulseAll(this);
            }
        }

        public IEnumerable<Value> All(CancellationToken stop)
        {
            using (stop.Register(() => { lock (this) Monitor.PulseAll(this); }))
                for (; ; )
                {
                    KeyValuePair<Value, int> next;
                    long moreItems = 0, moreBytes = 0;
                    lock (this)
                    {
                        while (queue.Count == 0 && !isEnded && !stop.IsCancellationRequested) Monitor.Wait(this);
                        if (queue.Count == 0 && isEnded && error == null) yield break;
                        if (queue.Count == 0 && isEnded) throw error;
                        stop.ThrowIfCancellationRequested();
                        next = queue.Dequeue();
                        takenItems++;
                        takenBytes += next.Value;
                        // Credit is granted again after each half window: that needs few messages.
                        if (!isEnded && (takenItems * 2 >= WindowItems || takenBytes * 2 >= WindowBytes))
                        {
                            items += moreItems = takenItems;
                            size += moreBytes = takenBytes;
                            takenItems = takenBytes = 0;
                        }
                    }
                    if (moreItems > 0) grant(moreItems, moreBytes);
                    yield return next.Key;
                }
        }
    }

    /// <summary>
    /// The other end of a connection that carries requests. Both ends may ask. Each request of the
    /// peer has a thread of its own; notifications have one together, and come in order.
    /// </summary>
    public class Peer : IDisposable
    {
        const int THello = 0, TNotify = 1, TCancel = 2, TItem = 3, TEnd = 4, TCredit = 5, TResponse = 6, TError = 7, TRequest = 16, Answering = 0x80;
        const int MaxRequests = 1000, MaxRequestBytes = 4 << 20, MaxMessageBytes = 16 << 20, HelloTimeout = 10000;

        class Call
        {
            public string Method;
            public long Id;
            public int Size;
            public bool IsDone, IsGone, IsSending;
            public Value Value;
            public Exception Error;
            public Items Stream;
            public Credit Credit;
            public CancellationTokenSource Stop;
        }

        readonly Connection connection;
        readonly IDictionary<string, Func<Request, object>> handlers;
        readonly object gate = new object(), turn = new object();
        readonly Dictionary<long, Call> calls = new Dictionary<long, Call>();
        readonly Dictionary<long, Request> works = new Dictionary<long, Request>();
        readonly Queue<Action> notices = new Queue<Action>();
        long[] theirs = { 16, 64 << 10, 1024 };
        bool isGreeted, isLate;
        Exception failure;
        long callBytes, lastCall, workBytes, lastWork;

        /// <summary>Called with what handlers throw, unless it is a RequestException.</summary>
        public Action<string, Exception> OnError = (method, error) => { };

        /// <summary>
        /// A handler gives null, a Value, or for a stream an IEnumerable of values, whose items are
        /// taken as fast as the caller reads.
        /// </summary>
        public Peer(Connection connection, IDictionary<string, Func<Request, object>> handlers = null)
        {
            this.connection = connection;
            this.handlers = handlers ?? new Dictionary<string, Func<Request, object>>();
            Offer(Bytes.Join(Encoding.ASCII.GetBytes("\0LWRQ\u0001"), Bytes.From(Head(0, MaxRequests, MaxRequestBytes, MaxMessageBytes), 1)));
            Start(Run);
            Start(RunNotices);
        }

        static void Start(ThreadStart work) { new Thread(work, 256 << 10) { IsBackground = true }.Start(); }

        /// <summary>Asks for one value. When it is cancelled, or the time (in milliseconds) is over, the peer is told.</summary>
        public Value Request(string method, Value parameters = null, IEnumerable<Value> items = null,
            int timeout = Timeout.Infinite, CancellationToken cancel = default(CancellationToken))
        {
            var call = new Call { Method = method };
            Begin(call, parameters, items, cancel);
            var due = timeout < 0 ? long.MaxValue : Environment.TickCount + (long)timeout;
            try
            {
                using (cancel.Register(() => { lock (gate) Monitor.PulseAll(gate); }))
                    lock (gate)
                        while (!call.IsDone)
                        {
                            cancel.ThrowIfCancellationRequested();
                            var left = due == long.MaxValue ? -1 : (int)Math.Max(0, due - Environment.TickCount);
                            if (left == 0) throw new RequestException("timeout", "Cannot request " + method + ": no answer within " + timeout + " ms");
                            Monitor.Wait(gate, left);
                        }
            }
            finally { GiveUp(call); }
            if (call.Error != null) throw call.Error;
            return call.Value;
        }

        /// <summary>Asks for a stream. Leaving the loop over it cancels it.</summary>
        public IEnumerable<Value> Stream(string method, Value parameters = null, IEnumerable<Value> items = null,
            CancellationToken cancel = default(CancellationToken))
        {
            var call = new Call { Method = method };
            call.Stream = new Items(true, (more, bytes) =>
            {
                bool isOpen;
                lock (gate) isOpen = calls.ContainsKey(call.Id);
                if (isOpen) Offer(Head(TCredit, call.Id, more, bytes));
            });
            Begin(call, parameters, items, cancel);
            try
            {
                foreach (var item in call.Stream.All(cancel)) yield return item;
            }
            finally { GiveUp(call); }
        }

        /// <summary>Tells something that has no answer.</summary>
        public void Notify(string method, Value parameters = null)
        {
            var message = Bytes.Join(new[] { (byte)(TNotify | Kind(parameters)) }, Name(method), Content(parameters));
            lock (gate) while (!isGreeted && message.Length > theirs[2] && failure == null) Monitor.Wait(gate);
            Send(message);
        }

        /// <summary>Closes the connection. Requests without an answer fail, handlers are cancelled.</summary>
        public void Close()
        {
            Call[] open;
            lock (gate) open = calls.Values.ToArray();
            foreach (var call in open) GiveUp(call);
            Fail(new ClosedException());
            connection.Close();
        }

        public void Dispose()
        {
            try { Close(); }
            catch (LengthwiseException) { } // Whoever uses it has seen the error.
        }

        /// <summary>Waits until the connection has ended.</summary>
        public void WaitForEnd() { lock (gate) while (failure == null) Monitor.Wait(gate); }

        // This end's requests.

        void Begin(Call call, Value parameters, IEnumerable<Value> items, CancellationToken cancel)
        {
            var rest = Bytes.Join(Name(call.Method),
                call.Stream == null ? new byte[0] : Bytes.From(Head(0, Items.WindowItems, Items.WindowBytes), 1), Content(parameters));
            var first = TRequest | Kind(parameters) | (call.Stream == null ? 0 : 1) | (items == null ? 0 : 2);
            lock (turn) // So that ids rise.
            {
                call.Id = ++lastCall;
                var message = Bytes.Join(Head(first, call.Id), rest);
                call.Size = message.Length;
                using (cancel.Register(() => { lock (gate) Monitor.PulseAll(gate); }))
                    lock (gate)
                    {
                        while (failure == null && !MayGo(call.Size))
                        {
                            cancel.ThrowIfCancellationRequested();
                            Monitor.Wait(gate);
                        }
                        Check(message);
                        // The answer may come before Send() returns.
                        calls[call.Id] = call;
                        callBytes += call.Size;
                        if (items != null)
                        {
                            call.IsSending = true;
                            call.Stop = new CancellationTokenSource();
                            call.Credit = new Credit();
                        }
                    }
                try { connection.Send(message); }
                catch (LengthwiseException error)
                {
                    Settle(call, null, error);
                    lock (gate) throw failure ?? error;
                }
            }
            if (items != null) Start(() => SendItems(call, items));
        }

        bool MayGo(int size)
        {
            return calls.Count < theirs[0] && (calls.Count == 0 || callBytes + size <= theirs[1]) && (isGreeted || size <= theirs[2]);
        }

        /// <summary>Sends items until their end, the answer, or CANCEL, which only it may send meanwhile.</summary>
        void SendItems(Call call, IEnumerable<Value> items)
        {
            Exception wrong = null;
            try
            {
                foreach (var item in items) if (!SendItem(TItem, call.Id, item, call.Credit, call.Stop.Token)) break;
            }
            catch (Exception error) { wrong = error; } // What the program's items throw, the caller gets.
            bool isGone;
            lock (gate)
            {
                call.IsSending = false;
                isGone = call.IsGone;
            }
            if (wrong == null) Offer(Head(isGone ? TCancel : TEnd, call.Id));
            else
            {
                GiveUp(call);
                lock (gate)
                {
                    if (call.IsDone) return;
                    call.Error = wrong;
                    call.IsDone = true;
                    if (call.Stream != null) call.Stream.End(wrong);
                    Monitor.PulseAll(gate);
                }
            }
        }

        bool SendItem(int first, long id, Value item, Credit credit, CancellationToken stop)
        {
            if (!credit.Wait(stop)) return false;
            var message = Bytes.Join(Head(first | Kind(item), id), Content(item));
            credit.Use(message.Length);
            Send(message);
            return true;
        }

        /// <summary>Nobody wants the answer any more, if it has not come.</summary>
        void GiveUp(Call call)
        {
            lock (gate)
            {
                if (call.IsGone || !calls.ContainsKey(call.Id)) return;
                call.IsGone = true;
                if (call.IsSending)
                {
                    call.Stop.Cancel();
                    return;
                }
            }
            Offer(Head(TCancel, call.Id));
        }

        void Settle(Call call, Value value, Exception error)
        {
            lock (gate)
            {
                calls.Remove(call.Id);
                callBytes -= call.Size;
                if (call.IsSending) call.Stop.Cancel();
                if (call.Stream != null) call.Stream.End(error);
                if (!call.IsDone)
                {
                    call.Value = value;
                    call.Error = error;
                    call.IsDone = true;
                }
                Monitor.PulseAll(gate);
            }
        }

        void Answered(Reader r)
        {
            var id = r.Varint();
            Call call;
            lock (gate)
                if (!calls.TryGetValue(id, out call)) throw new ProtocolException("Cannot take answer: no request " + id + " is without one");
            if (r.Type == TItem && call.Stream != null) call.Stream.Put(r.Value(), r.Message.Length);
            else if (r.Type == TCredit && call.Credit != null) r.Credit(call.Credit);
            else if (r.Type == TError)
            {
                string code = Printable(r.Text(1)), text = Printable(r.Text(2));
                Settle(call, null, new RequestException(code, text, r.Value()));
            }
            else if (r.Type == TEnd && call.Stream != null)
            {
                r.End();
                Settle(call, null, null);
            }
            else if (r.Type == TResponse && call.Stream == null) Settle(call, r.Value(), null);
            else throw Misfit(r, id);
        }

        static Exception Misfit(Reader r, long id)
        {
            return new ProtocolException("Cannot take message of type " + r.Type + " for request " + id + ": it does not fit");
        }

        // The peer's requests.

        void Asked(Reader r)
        {
            if (r.Type >= TRequest && r.Type < TRequest + 8)
            {
                Requested(r);
                return;
            }
            var id = r.Varint();
            Request work;
            bool isKnown, hasItems;
            lock (gate)
            {
                works.TryGetValue(id, out work);
                isKnown = id <= lastWork;
                hasItems = work != null && work.hasItems;
            }
            if (isKnown && r.Type == TCancel)
            {
                r.End();
                if (work == null) return;
                lock (gate) work.isCancelled = true;
                work.source.Cancel();
                EndItems(work, CancelledError(work));
            }
            else if (isKnown && r.Type == TCredit && (work == null || work.window != null)) r.Credit(work == null ? new Credit() : work.window);
            else if (isKnown && r.Type == TItem && hasItems) work.items.Put(r.Value(), r.Message.Length);
            else if (isKnown && r.Type == TEnd && hasItems)
            {
                r.End();
                EndItems(work, null);
            }
            else throw Misfit(r, id);
        }

        void Requested(Reader r)
        {
            var id = r.Varint();
            var work = new Request { Peer = this, id = id, size = r.Message.Length, Method = r.Text(1) };
            if ((r.Type & 1) != 0)
            {
                work.window = new Credit();
                work.window.Grant(r.Varint(), r.Varint());
            }
            if ((r.Type & 4) != 0) // A trace context.
            {
                r.Text(1);
                r.Text(2);
            }
            work.Params = r.Value();
            work.hasItems = (r.Type & 2) != 0;
            if (work.hasItems)
                work.items = new Items(false, (more, bytes) =>
                {
                    bool isWanted;
                    lock (gate) isWanted = work.hasItems && !work.isAnswered;
                    if (isWanted) Offer(Head(Answering | TCredit, id, more, bytes));
                });
            lock (gate)
            {
                if (id <= lastWork) throw new ProtocolException("Cannot take request " + id + ": ids must rise, the last was " + lastWork);
                lastWork = id;
                if (works.Count == 0 || works.Count < MaxRequests && workBytes + work.size <= MaxRequestBytes)
                {
                    works[id] = work;
                    workBytes += work.size;
                    Start(() => Work(work));
                    return;
                }
            }
            var limits = MaxRequests + " requests and " + MaxRequestBytes + " bytes are allowed at a time";
            if (work.hasItems) throw new ProtocolException("Cannot take request " + id + ": " + limits);
            Offer(Error(id, new RequestException("busy", "Cannot answer " + work.Method + ": " + limits)));
        }

        static RequestException CancelledError(Request work)
        {
            return new RequestException("cancelled", "Cannot answer " + work.Method + ": it was cancelled");
        }

        void Work(Request work)
        {
            byte[] message;
            RequestException refusal = null;
            try
            {
                message = Handle(work);
                if (message.Length > theirs[2])
                    refusal = new RequestException("invalid-result", "Cannot answer " + work.Method + ": its result has " + message.Length + " bytes, limit is " + theirs[2] + " bytes");
            }
            catch (Exception error)
            {
                message = null;
                refusal = error as RequestException;
                if (refusal == null && !work.isCancelled) OnError(work.Method, error);
                refusal = refusal ?? new RequestException("internal", "Cannot answer " + work.Method + ": its handler failed");
            }
            lock (gate)
            {
                if (work.isCancelled && (message == null || (message[0] & 0x1f) == TResponse)) refusal = CancelledError(work);
                work.isAnswered = true;
                // The caller may use the allowance as soon as it has the answer.
                if (!work.hasItems) Forget(work);
            }
            Offer(refusal == null ? message : Error(work.id, refusal));
        }

        /// <summary>Calls the handler, and gives the message that ends the request.</summary>
        byte[] Handle(Request work)
        {
            Func<Request, object> handler;
            var what = "Cannot answer " + work.Method + ": ";
            if (!handlers.TryGetValue(work.Method, out handler)) throw new RequestException("unknown-method", what + "there is no such method");
            var result = handler(work);
            var stream = result as IEnumerable<Value>;
            if (stream != null && work.window == null) throw new RequestException("wrong-kind", what + "it gives a stream, use stream()");
            if (stream == null && work.window != null) throw new RequestException("wrong-kind", what + "it gives one value, use request()");
            if (stream == null)
            {
                var value = (Value)result;
                return Bytes.Join(Head(Answering | TResponse | Kind(value), work.id), Content(value));
            }
            foreach (var item in stream)
                if (!SendItem(Answering | TItem, work.id, item, work.window, work.Cancelled)) throw new OperationCanceledException();
            return Head(Answering | TEnd, work.id);
        }

        void EndItems(Request work, Exception error)
        {
            lock (gate)
            {
                if (!work.hasItems) return;
                work.hasItems = false;
                work.items.End(error);
                if (work.isAnswered) Forget(work);
            }
        }

        void Forget(Request work)
        {
            if (works.Remove(work.id)) workBytes -= work.size;
        }

        void Noticed(Reader r)
        {
            var work = new Request { Peer = this, Method = r.Text(1), Params = r.Value() };
            Func<Request, object> handler;
            if (!handlers.TryGetValue(work.Method, out handler)) return;
            lock (gate)
            {
                while (notices.Count >= MaxRequests && failure == null) Monitor.Wait(gate);
                notices.Enqueue(() =>
                {
                    try { handler(work); }
                    catch (Exception error) { OnError(work.Method, error); }
                });
                Monitor.PulseAll(gate);
            }
        }

        void RunNotices()
        {
            for (; ; )
            {
                Action notice;
                lock (gate)
                {
                    while (notices.Count == 0 && failure == null) Monitor.Wait(gate);
                    if (notices.Count == 0) return;
                    notice = notices.Dequeue();
                    Monitor.PulseAll(gate);
                }
                notice();
            }
        }

        // The connection.

        void Send(byte[] message)
        {
            lock (gate) Check(message);
            connection.Send(message);
        }

        void Check(byte[] message)
        {
            if (failure != null) throw failure;
            if (isGreeted && message.Length > theirs[2])
                throw new TooLargeException("Cannot send message of " + message.Length + " bytes: the peer takes no more than " + theirs[2] + " bytes");
        }

        /// <summary>Sends what need not arrive: the end of the connection settles everything that waits.</summary>
        void Offer(byte[] message)
        {
            try { connection.Send(message); }
            catch (LengthwiseException) { }
        }

        void Run()
        {
            try
            {
                using (new Timer(_ => { isLate = !isGreeted; if (isLate) connection.Abort(); }, null, HelloTimeout, Timeout.Infinite))
                {
                    for (byte[] message; (message = connection.Receive()) != null;)
                    {
                        var r = new Reader(message);
                        if (!isGreeted) Hello(r);
                        else if (message[0] >= Answering) Answered(r);
                        else if (r.Type == TNotify) Noticed(r);
                        else Asked(r);
                    }
                }
                Fail(new LostException("the peer has ended"));
                connection.Close();
            }
            catch (LengthwiseException error)
            {
                Fail(isLate ? new ProtocolException("Cannot make requests: no HELLO came within " + HelloTimeout + " ms") : error);
                if (!(error is ClosedException)) connection.Abort(); // Who closes in order waits for the peer.
            }
        }

        void Hello(Reader r)
        {
            var magic = Encoding.ASCII.GetBytes("\0LWRQ");
            if (!r.Message.Take(5).SequenceEqual(magic)) throw new ProtocolException("Cannot make requests: the peer's first message is no HELLO");
            if (r.Message.Length < 6 || r.Message[5] != 1) throw new ProtocolException("Cannot make requests: the peer speaks another version, not 1");
            r.At = 6;
            long[] said = { r.Varint(), r.Varint(), r.Varint() };
            if (said[0] < 16 || said[1] < 64 << 10)
                throw new ProtocolException("Cannot make requests: the peer allows " + said[0] + " requests of " + said[1] + " bytes, the least is 16 of 65536");
            lock (gate)
            {
                theirs = said;
                isGreeted = true;
                Monitor.PulseAll(gate);
            }
        }

        /// <summary>No answer can come any more, and none can be given.</summary>
        void Fail(Exception error)
        {
            Call[] open;
            Request[] handled;
            lock (gate)
            {
                if (failure != null) return;
                failure = error;
                open = calls.Values.ToArray();
                handled = works.Values.ToArray();
                Monitor.PulseAll(gate);
            }
            foreach (var call in open) Settle(call, null, error);
            foreach (var work in handled)
            {
                work.source.Cancel();
                EndItems(work, error);
            }
        }

        // Messages.

        static byte[] Head(int first, params long[] numbers)
        {
            var head = new List<byte> { (byte)first };
            foreach (var number in numbers) Bytes.Varint(head, (ulong)number);
            return head.ToArray();
        }

        static byte[] Name(string text)
        {
            var name = Encoding.UTF8.GetBytes(text);
            if (name.Length > 255) throw new ArgumentException("Cannot request: the method's name is above 255 bytes");
            return Bytes.Join(new[] { (byte)name.Length }, name);
        }

        static int Kind(Value value) { return value == null ? 0 : value.Json != null ? 0x20 : 0x40; }

        static byte[] Content(Value value)
        {
            if (value == null) return new byte[0];
            return value.Json != null ? Encoding.UTF8.GetBytes(value.Json) : value.Bytes;
        }

        static byte[] Error(long id, RequestException error)
        {
            byte[] code = Bytes.Text(error.Code, 255), text = Bytes.Text(error.Message, 8192);
            return Bytes.Join(Head(Answering | TError | Kind(error.Data), id), Bytes.Big(1, code.Length), code, Bytes.Big(2, text.Length), text, Content(error.Data));
        }

        static string Printable(string text) { return string.Concat(text.Select(c => char.IsControl(c) ? '\ufffd' : c)); }

        class Reader
        {
            public readonly byte[] Message;
            public readonly int Type;
            public int At = 1;
            readonly int kind;

            public Reader(byte[] message)
            {
                Message = message;
                if (message.Length == 0 || (message[0] & 0x60) == 0x60)
                    throw new ProtocolException("Cannot read message: it is empty, or its value is of no kind");
                Type = message[0] & 0x1f;
                kind = message[0] & 0x60;
            }

            public long Varint()
            {
                long value = 0;
                for (var shift = 0; shift < 56; shift += 7)
                {
                    if (At >= Message.Length) throw new ProtocolException("Cannot read message: it ends within a number");
                    var part = Message[At++];
                    value |= (long)(part & 0x7f) << shift;
                    if (part < 0x80 && value < 1L << 53) return value;
                    if (part < 0x80) break;
                }
                throw new ProtocolException("Cannot read message: a number is above 2^53 - 1");
            }

            public string Text(int bytesOfLength)
            {
                var start = At + bytesOfLength;
                if (start > Message.Length) throw new ProtocolException("Cannot read message: it ends before a text");
                At = start + (int)Bytes.Big(Message, At, bytesOfLength);
                if (At > Message.Length) throw new ProtocolException("Cannot read message: it ends within a text");
                try { return Bytes.Utf8.GetString(Message, start, At - start); }
                catch (ArgumentException) { throw new ProtocolException("Cannot read message: a text is not UTF-8"); }
            }

            public Value Value()
            {
                if (kind == 0) End();
                if (kind == 0) return null;
                if (kind == 0x40) return new Value(Bytes.From(Message, At));
                // Whether it is JSON, the library finds out that reads it.
                return new Value(Encoding.UTF8.GetString(Message, At, Message.Length - At));
            }

            public void Credit(Credit to)
            {
                long items = Varint(), bytes = Varint();
                End();
                to.Grant(items, bytes);
            }

            public void End()
            {
                if (kind != 0 || At < Message.Length) throw new ProtocolException("Cannot read message: bytes follow its end");
            }
        }
    }
}
