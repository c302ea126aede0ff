%% Messages over TCP with gen_tcp, which does the framing itself: {packet, 1 | 2 | 4 | line}.
%% (OTP itself has a module named peer.)
%%
%% usage: erl -noshell -run interop_peer main ROLE FRAMING PORT SEED COUNT (README.md tells what these mean)

-module(interop_peer).
-export([main/1]).

-define(POOL_SIZE, 100000).

main(["server", Framing | _]) ->
    server(Framing);
main(["client", Framing, Port, Seed, Count]) ->
    client(Framing, list_to_integer(Port), list_to_integer(Seed), list_to_integer(Count)).

options("u8") -> [binary, {active, false}, {packet, 1}];
options("u16be") -> [binary, {active, false}, {packet, 2}];
options("u32be") -> [binary, {active, false}, {packet, 4}];
%% A line that is longer than the buffer would come in several parts.
options("line") -> [binary, {active, false}, {packet, line}, {buffer, 262144}].

client(Framing, Port, Seed, Count) ->
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, Port, options(Framing)),
    Messages = messages(Framing, Seed, Count),
    spawn_link(fun() -> send_all(Socket, Framing, Messages) end),
    case compare(Socket, Framing, Messages, 0) of
        ok ->
            io:format("ok ~b~n", [Count]),
            halt(0);
        {differs, Index, What} ->
            io:format("message ~b ~p~n", [Index, What]),
            halt(1)
    end.

send_all(Socket, Framing, Messages) ->
    [ok = send(Socket, Framing, Message) || Message <- Messages],
    ok = gen_tcp:shutdown(Socket, write).

compare(Socket, Framing, [], Index) ->
    case recv(Socket, Framing) of
        {error, closed} -> ok;
        More -> {differs, Index, {end_expected_but_received, More}}
    end;
compare(Socket, Framing, [Expected | Rest], Index) ->
    case recv(Socket, Framing) of
        {ok, Expected} -> compare(Socket, Framing, Rest, Index + 1);
        {ok, Other} -> {differs, Index, {bytes_sent, byte_size(Expected), received, byte_size(Other)}};
        {error, Reason} -> {differs, Index, Reason}
    end.

send(Socket, "line", Message) -> gen_tcp:send(Socket, [Message, $\n]);
send(Socket, _, Message) -> gen_tcp:send(Socket, Message).

recv(Socket, "line") ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Line} -> {ok, string:trim(Line, trailing, "\n")};
        Error -> Error
    end;
recv(Socket, _) ->
    gen_tcp:recv(Socket, 0).

server(Framing) ->
    spawn(fun watch_stdin/0),
    {ok, Listener} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}} | options(Framing)]),
    {ok, Port} = inet:port(Listener),
    io:format("~b~n", [Port]),
    accept(Listener).

accept(Listener) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    echo(Socket),
    gen_tcp:close(Socket),
    accept(Listener).

%% A received line still has its newline, so that it can go back as it is.
echo(Socket) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Message} ->
            ok = gen_tcp:send(Socket, Message),
            echo(Socket);
        {error, _} ->
            ok
    end.

watch_stdin() ->
    case io:get_line("") of
        Line when is_list(Line) -> watch_stdin();
        _ -> halt(0)
    end.

messages(Framing, Seed, Count) ->
    {Pool, State} = pool(?POOL_SIZE, Seed, <<>>),
    messages(0, Count, State, slicing(Framing, Pool), longest(Framing)).

messages(Count, Count, _, _, _) ->
    [];
messages(Index, Count, State0, Slice, Longest) ->
    {Size, State1} = size(Index, Longest, State0),
    {Offset, State2} = draw(?POOL_SIZE - Size + 1, State1),
    [Slice(Offset, Size) | messages(Index + 1, Count, State2, Slice, Longest)].

pool(0, State, Pool) ->
    {Pool, State};
pool(Left, State0, Pool) ->
    {Byte, State} = draw(256, State0),
    pool(Left - 1, State, <<Pool/binary, Byte>>).

%% Text is kept as UTF-32, where characters can be counted, and leaves as UTF-8.
slicing(Framing, Pool) when Framing =:= "line" ->
    Alphabet = list_to_tuple("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ.,?éßñЖλ€漢語"),
    Text = <<<<(element(Byte rem 64 + 1, Alphabet)):32>> || <<Byte>> <= Pool>>,
    fun(Offset, Size) ->
        unicode:characters_to_binary(binary:part(Text, Offset * 4, Size * 4), utf32, utf8)
    end;
slicing(_, Pool) ->
    fun(Offset, Size) -> binary:part(Pool, Offset, Size) end.

longest("u8") -> 255;
longest("u16be") -> 65535;
longest("line") -> 60000;
longest(_) -> 70000.

size(0, _, State) -> {0, State};
size(1, Longest, State) -> {Longest, State};
size(_, Longest, State0) ->
    {Roll, State} = draw(100, State0),
    Bound = if Roll < 1 -> Longest; Roll < 10 -> 2000; true -> 60 end,
    draw(min(Bound, Longest) + 1, State).

draw(Bound, State0) ->
    State = (State0 * 1664525 + 1013904223) band 16#FFFFFFFF,
    {((State bsr 8) * Bound) bsr 24, State}.
