"""Drives clients/python/lengthwise.py; suite.ts tells what each driver does."""

import asyncio
import json
import os
import pathlib
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "clients" / "python"))
import lengthwise as lw  # noqa: E402

SESSION = {"retry_delays": (0.001, 0.02), "heartbeat_interval": 0.15, "heartbeat_timeout": 0.25}


def message(i: int) -> bytes:
    size = 150_000 if i % 1000 == 999 else i * 7919 % 1500
    return f"{i}:".encode() + b"x" * size


async def connect(endpoint: str, token: str = "") -> lw.Connection:
    options = SESSION if "session=1" in endpoint else {}
    tls = ssl.create_default_context(cafile=os.environ["CA"]) if "CA" in os.environ else None
    return await lw.connect(endpoint, token=token or None, tls=tls, **options)


async def echo(endpoint: str, count: str, token: str = "") -> None:
    connection = await connect(endpoint, token)

    async def send() -> None:
        for i in range(int(count)):
            await connection.send(message(i))
        await connection.flush()

    sending = asyncio.ensure_future(send())
    for i in range(int(count)):
        got = await connection.receive()
        assert got == message(i), f"message {i} differs: {(got or b'')[:20]!r}"
    await sending
    await connection.close(4001, "done")
    print("ok", count, getattr(connection, "resumes", 0))


cancelled = 0
logged = []


async def wait(params, context):
    global cancelled
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        cancelled += 1
        raise


async def count(params, context):
    for n in range(1, params["to"] + 1):
        yield n


async def total(params, context):
    return sum([len(item) async for item in context])


def fail(params, context):
    raise lw.RequestError("sad", "no way", {"why": 1})


def crash(params, context):
    raise ValueError("secret")


HANDLERS = {
    "add": lambda params, context: params["a"] + params["b"],
    "nothing": lambda params, context: None,
    "same": lambda params, context: params,
    "null": lambda params, context: lw.NULL,
    "cancelled": lambda params, context: cancelled,
    "logged": lambda params, context: logged,
    "log": lambda params, context: logged.append(params),
    "count": count,
    "total": total,
    "fail": fail,
    "crash": crash,
    "wait": wait,
}


def show(*words) -> None:
    print(*(w if isinstance(w, str) else json.dumps(w, separators=(",", ":")) for w in words),
          flush=True)


async def error_of(awaitable) -> None:
    try:
        show("no error", await awaitable)
    except lw.RequestError as error:
        show(*[error.code] if error.code == "timeout" else [error.code, error.message, error.data])


async def requests(endpoint: str) -> None:
    import logging
    logging.disable()
    connection = await connect(endpoint)
    peer = lw.requests(connection, HANDLERS)
    show("add", await peer.request("add", {"a": 1, "b": 2}))
    show("nothing", await peer.request("nothing"))
    show("same", (await peer.request("same", b"\1\2\xff")).hex())
    show("text", await peer.request("same", "grüße 漢字"))
    show("large", len(await peer.request("same", bytes(3_000_000))))
    await error_of(peer.request("nope", lw.NULL))
    await error_of(peer.request("fail"))
    await error_of(peer.request("crash"))
    await error_of(peer.request("wait", timeout=0.03))
    await error_of(peer.request("count", {"to": 3}))
    await error_of(anext_of(peer.stream("add", {"a": 1, "b": 2})))
    show("count", sum([n async for n in peer.stream("count", {"to": 500})]))
    endless = peer.stream("count", {"to": 1_000_000})
    async for n in endless:
        if n == 3:
            break
    await endless.aclose()
    items = (bytes(i % 7) for i in range(700))
    show("total", await peer.request("total", items=items))
    await peer.notify("log", "hi")
    show("logged", await peer.request("logged"))
    sums = await asyncio.gather(*(peer.request("add", {"a": i, "b": 1}) for i in range(2000)))
    show("many", sum(sums))
    show("cancelled", await peer.request("cancelled"))
    await peer.request("done")
    while await connection_is_open(peer):
        pass
    show("over")


async def anext_of(stream):
    return await stream.__anext__()


async def connection_is_open(peer) -> bool:
    try:
        await peer.request("wait for the end")
    except lw.LengthwiseError as error:
        return isinstance(error, lw.RequestError)
    return True


async def room(endpoint: str, name: str, count: str) -> None:
    said, is_complete = [], asyncio.Event()

    def hear(params, context):
        said.append(params)
        if len(said) == int(count):
            is_complete.set()

    async with lw.requests(await connect(endpoint), {"said": hear}) as peer:
        await peer.request("enter", name)
        await peer.notify("say", f"I am {name}")
        await is_complete.wait()
    show(said)


async def fail_with(endpoint: str, how: str = "plain") -> None:
    try:
        connection = await connect(endpoint)
        if how == "requests":
            await lw.requests(connection).request("add", {"a": 1, "b": 2})
        while await connection.receive() is not None:
            pass
        await connection.close()
        print("no error")
    except lw.LengthwiseError as error:
        print(type(error).__name__, getattr(error, "code", 0), error)


async def run(mode: str, *args: str) -> None:
    # What asyncio's debug mode tells is a failure, but not that others had the core for a moment.
    asyncio.get_running_loop().slow_callback_duration = 60
    await {"echo": echo, "requests": requests, "room": room, "fail": fail_with}[mode](*args)


asyncio.run(run(*sys.argv[1:]))
