import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Messages over TCP with DataInputStream and DataOutputStream.
 *
 * <p>usage: java Peer ROLE FRAMING PORT SEED COUNT (README.md tells what these mean)
 */
public class Peer {
  public static void main(String[] args) throws Exception {
    String framing = args[1];
    if (args[0].equals("server")) {
      server(framing);
    } else {
      client(framing, Integer.parseInt(args[2]), Long.parseLong(args[3]), Integer.parseInt(args[4]));
    }
  }

  static void client(String framing, int port, long seed, int count) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      Thread sender = new Thread(() -> sendAll(socket, framing, new Messages(framing, seed), count));
      sender.setDaemon(true);
      sender.start();
      Receiver receiver = new Receiver(socket, framing);
      Messages messages = new Messages(framing, seed);
      for (int index = 0; index < count; index++) {
        byte[] expected = messages.next();
        byte[] message = receiver.receive();
        if (message == null) fail("the stream ended before message " + index);
        if (!Arrays.equals(message, expected)) {
          fail("message " + index + " differs: " + expected.length + " bytes sent, "
              + message.length + " received");
        }
      }
      if (receiver.receive() != null) fail("more than " + count + " messages received");
    }
    System.out.println("ok " + count);
  }

  static void sendAll(Socket socket, String framing, Messages messages, int count) {
    try {
      DataOutputStream out = output(socket);
      for (int index = 0; index < count; index++) send(out, framing, messages.next());
      out.flush();
      socket.shutdownOutput();
    } catch (IOException error) {
      fail("cannot send: " + error);
    }
  }

  static void fail(String reason) {
    System.out.println(reason);
    System.exit(1);
  }

  static void server(String framing) throws IOException {
    Thread watcher = new Thread(Peer::watchStdin);
    watcher.setDaemon(true);
    watcher.start();
    try (ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      System.out.println(listener.getLocalPort());
      while (true) {
        try (Socket socket = listener.accept()) {
          Receiver receiver = new Receiver(socket, framing);
          DataOutputStream out = output(socket);
          byte[] message;
          while ((message = receiver.receive()) != null) {
            send(out, framing, message);
            out.flush();
          }
        }
      }
    }
  }

  static void watchStdin() {
    try {
      while (System.in.read() >= 0) {}
    } catch (IOException error) {
      // An unreadable stdin is an ended one.
    }
    System.exit(0);
  }

  static DataOutputStream output(Socket socket) throws IOException {
    return new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
  }

  static void send(DataOutputStream out, String framing, byte[] message) throws IOException {
    switch (framing) {
      case "u8": out.writeByte(message.length); break;
      case "u16be": out.writeShort(message.length); break;
      case "u32be": out.writeInt(message.length); break;
      case "u64be": out.writeLong(message.length); break;
      case "line": break;
      default: throw new IllegalArgumentException("unknown framing: " + framing);
    }
    out.write(message);
    if (framing.equals("line")) out.writeByte('\n');
  }

  static class Receiver {
    private final String framing;
    private final DataInputStream in;
    private final BufferedReader lines;

    Receiver(Socket socket, String framing) throws IOException {
      this.framing = framing;
      in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
      lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
    }

    /** The next message, or null at the end of the stream. */
    byte[] receive() throws IOException {
      if (framing.equals("line")) {
        String line = lines.readLine();
        return line == null ? null : line.getBytes(StandardCharsets.UTF_8);
      }
      in.mark(1);
      if (in.read() < 0) return null;
      in.reset();
      byte[] message = new byte[receiveSize()];
      in.readFully(message);
      return message;
    }

    private int receiveSize() throws IOException {
      switch (framing) {
        case "u8": return in.readUnsignedByte();
        case "u16be": return in.readUnsignedShort();
        case "u32be": return in.readInt();
        case "u64be": return Math.toIntExact(in.readLong());
        default: throw new IllegalArgumentException("unknown framing: " + framing);
      }
    }
  }

  /** The messages that every peer makes from the same seed. */
  static class Messages {
    private static final String ALPHABET =
        "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ.,?éßñЖλ€漢語";
    private static final int POOL_SIZE = 100_000;

    private final byte[] pool = new byte[POOL_SIZE];
    private final String text;
    private final int longest;
    private long state;
    private int index;

    Messages(String framing, long seed) {
      state = seed;
      for (int at = 0; at < POOL_SIZE; at++) pool[at] = (byte) draw(256);
      text = framing.equals("line") ? textOf(pool) : null;
      longest = framing.equals("u8") ? 255
          : framing.equals("u16be") ? 65_535
          : framing.equals("line") ? 60_000
          : 70_000;
    }

    byte[] next() {
      int size = index < 2 ? index * longest : drawSize();
      index++;
      int offset = draw(POOL_SIZE - size + 1);
      return text == null
          ? Arrays.copyOfRange(pool, offset, offset + size)
          : text.substring(offset, offset + size).getBytes(StandardCharsets.UTF_8);
    }

    private int drawSize() {
      int roll = draw(100);
      return draw(Math.min(longest, roll < 1 ? longest : roll < 10 ? 2000 : 60) + 1);
    }

    private int draw(int bound) {
      state = (state * 1664525 + 1013904223) & 0xFFFFFFFFL;
      return (int) ((state >> 8) * bound >> 24);
    }

    private static String textOf(byte[] pool) {
      StringBuilder text = new StringBuilder();
      for (byte each : pool) text.append(ALPHABET.charAt(each & 63));
      return text.toString();
    }
  }
}
