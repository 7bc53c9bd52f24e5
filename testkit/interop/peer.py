"""aiortc as a peer of docs/PROTOCOL.md: the twin of peer.mjs, without ICE restarts, which aiortc can't make."""

import argparse
import asyncio
import json

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp


class Pair:
    """One remote peer: descriptions and candidates in, lines out."""

    def __init__(self, options, peer, send):
        self.options, self.peer, self.send_frame = options, peer, send
        self.pc = self.attempt = self.channel = None
        self.early, self.attempts, self.heard, self.said = [], 0, 0, 0
        self.done = asyncio.Event()

    async def offer(self):
        self.attempts += 1
        await self.fresh(f"{self.options.id}-{self.attempts}")
        self.take(self.pc.createDataChannel("chat"))
        await self.send_offer()

    async def send_offer(self):
        await self.pc.setLocalDescription(await self.pc.createOffer())
        await self.describe("offer")

    async def signal(self, signal):
        kind, attempt = signal["type"], signal.get("attempt")
        if kind == "offer":
            if self.pc is None or attempt != self.attempt:
                await self.fresh(attempt)
            await self.remote(signal["offer"])
            await self.pc.setLocalDescription(await self.pc.createAnswer())
            await self.describe("answer")
        elif kind == "answer" and attempt == self.attempt:
            await self.remote(signal["answer"])
            if self.channel:
                print("answered again", flush=True)
                self.say(self.options.lines)
        elif kind == "ice_candidate" and attempt in (self.attempt, None):
            if self.early is None:
                await self.add(signal["candidate"])
            else:
                self.early.append(signal["candidate"])

    async def fresh(self, attempt):
        if self.pc:
            await self.pc.close()
        self.attempt, self.early = attempt, []
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.on("datachannel", self.take)

    async def describe(self, kind):
        description = {"type": kind, "sdp": self.pc.localDescription.sdp}
        await self.send({"type": kind, kind: description})

    async def remote(self, description):
        await self.pc.setRemoteDescription(RTCSessionDescription(description["sdp"], description["type"]))
        early, self.early = self.early or [], None
        for candidate in early:
            await self.add(candidate)

    async def add(self, init):
        if init.get("sdpMid") is None and init.get("sdpMLineIndex") is None:
            raise SystemExit("a candidate without sdpMid and sdpMLineIndex")
        if init["candidate"]:
            candidate = candidate_from_sdp(init["candidate"].removeprefix("candidate:"))
            candidate.sdpMid, candidate.sdpMLineIndex = init.get("sdpMid"), init.get("sdpMLineIndex")
            await self.pc.addIceCandidate(candidate)

    def take(self, channel):
        channel.on("open", lambda: self.opened(channel))
        channel.on("message", self.hear)
        if channel.readyState == "open":
            self.opened(channel)

    def opened(self, channel):
        if not self.channel:
            self.channel = channel
            print("open", flush=True)
            self.say(self.options.lines // (1 if self.options.again == "no" else 3))

    async def again(self):
        await self.send_offer()
        print("offered again", flush=True)
        self.say(2 * self.options.lines // 3)

    def say(self, until):
        while self.said < until:
            self.said += 1
            self.channel.send(f"{self.options.id} {self.said}")
        self.finish()

    def hear(self, line):
        print(line, flush=True)
        self.heard += 1
        if self.heard == 1 and self.options.again != "no":
            self.under_way = asyncio.ensure_future(self.again())
        self.finish()

    def finish(self):
        if self.said >= self.options.lines and self.heard >= self.options.lines:
            self.done.set()

    async def send(self, signal):
        named = {} if self.attempt is None else {"attempt": self.attempt}
        await self.send_frame({**signal, **named, "target_peer_id": self.peer})


async def main(options):
    async with aiohttp.ClientSession() as session:
        url = f"{options.server}/ws/{options.room}?peer_id={options.id}"
        async with session.ws_connect(url) as link:
            pair = None
            async for message in link:
                frame = json.loads(message.data)
                if frame["type"] == "room_state":
                    print("joined", flush=True)
                    if frame["peers"]:
                        pair = Pair(options, frame["peers"][0], link.send_json)
                        await pair.offer()
                elif frame["type"] == "webrtc_signal":
                    pair = pair or Pair(options, frame["from_peer_id"], link.send_json)
                    await pair.signal(frame["signal"])
                elif frame["type"] == "peer_left":
                    break
            if pair:
                await asyncio.wait_for(pair.done.wait(), 20)
                await pair.pc.close()


parser = argparse.ArgumentParser()
parser.add_argument("--server", default="ws://127.0.0.1:8001")
parser.add_argument("--room", default="interop")
parser.add_argument("--id", default="other")
parser.add_argument("--lines", type=int, default=6)
parser.add_argument("--again", choices=["no", "offer"], default="no")
asyncio.run(main(parser.parse_args()))
