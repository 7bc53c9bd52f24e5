// Pion as a peer of docs/PROTOCOL.md: the twin of peer.mjs.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v3"
)

type signal struct {
	Type      string                     `json:"type"`
	Offer     *webrtc.SessionDescription `json:"offer,omitempty"`
	Answer    *webrtc.SessionDescription `json:"answer,omitempty"`
	Candidate *webrtc.ICECandidateInit   `json:"candidate,omitempty"`
	Attempt   *string                    `json:"attempt,omitempty"`
	Target    string                     `json:"target_peer_id,omitempty"`
}

type frame struct {
	Type   string   `json:"type"`
	Peers  []string `json:"peers"`
	From   string   `json:"from_peer_id"`
	Signal signal   `json:"signal"`
}

var (
	server = flag.String("server", "ws://127.0.0.1:8001", "the signaling server")
	room   = flag.String("room", "interop", "the room")
	id     = flag.String("id", "other", "the own id")
	lines  = flag.Int("lines", 6, "lines to say and to hear")
	again  = flag.String("again", "no", "what to offer a second time: offer or restart")
)

// One remote peer: descriptions and candidates in, lines out. Everything runs on the one goroutine that reads `todo`.
type pair struct {
	link        *websocket.Conn
	todo        chan func()
	peer        string
	pc          *webrtc.PeerConnection
	channel     *webrtc.DataChannel
	attempt     *string
	early       []webrtc.ICECandidateInit
	hasRemote   bool
	said, heard int
	left        bool
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func (p *pair) send(s signal) {
	s.Attempt, s.Target = p.attempt, p.peer
	must(p.link.WriteJSON(s))
}

func (p *pair) fresh(attempt *string) {
	if p.pc != nil {
		must(p.pc.Close())
	}
	var engine webrtc.SettingEngine
	engine.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	must(err)
	p.pc, p.attempt, p.early, p.hasRemote = pc, attempt, nil, false
	pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate == nil {
			return
		}
		init := candidate.ToJSON()
		p.todo <- func() {
			if p.pc == pc {
				p.send(signal{Type: "ice_candidate", Candidate: &init})
			}
		}
	})
	pc.OnDataChannel(p.take)
}

func (p *pair) take(channel *webrtc.DataChannel) {
	channel.OnOpen(func() { p.todo <- func() { p.opened(channel) } })
	channel.OnMessage(func(message webrtc.DataChannelMessage) {
		p.todo <- func() { p.hear(string(message.Data)) }
	})
}

func (p *pair) offer(peer string) {
	p.peer = peer
	name := *id + "-1"
	p.fresh(&name)
	channel, err := p.pc.CreateDataChannel("chat", nil)
	must(err)
	p.take(channel)
	p.sendOffer(nil)
}

func (p *pair) sendOffer(options *webrtc.OfferOptions) {
	offer, err := p.pc.CreateOffer(options)
	must(err)
	must(p.pc.SetLocalDescription(offer))
	p.send(signal{Type: "offer", Offer: &offer})
}

func (p *pair) signal(from string, s signal) {
	p.peer = from
	same := (p.attempt == nil) == (s.Attempt == nil) && (s.Attempt == nil || *s.Attempt == *p.attempt)
	switch {
	case s.Type == "offer":
		if p.pc == nil || !same {
			p.fresh(s.Attempt)
		}
		p.remote(*s.Offer)
		answer, err := p.pc.CreateAnswer(nil)
		must(err)
		must(p.pc.SetLocalDescription(answer))
		p.send(signal{Type: "answer", Answer: &answer})
	case s.Type == "answer" && same:
		p.remote(*s.Answer)
		if p.channel != nil {
			fmt.Println("answered again")
			p.say(*lines)
		}
	case s.Type == "ice_candidate" && (same || s.Attempt == nil):
		if p.hasRemote {
			must(p.pc.AddICECandidate(*s.Candidate))
		} else {
			p.early = append(p.early, *s.Candidate)
		}
	}
}

func (p *pair) remote(description webrtc.SessionDescription) {
	must(p.pc.SetRemoteDescription(description))
	p.hasRemote = true
	for _, candidate := range p.early {
		must(p.pc.AddICECandidate(candidate))
	}
	p.early = nil
}

func (p *pair) opened(channel *webrtc.DataChannel) {
	if p.channel != nil {
		return
	}
	p.channel = channel
	fmt.Println("open")
	if *again == "no" {
		p.say(*lines)
	} else {
		p.say(*lines / 3)
	}
}

func (p *pair) hear(line string) {
	fmt.Println(line)
	p.heard++
	if p.heard == 1 && *again != "no" {
		p.sendOffer(&webrtc.OfferOptions{ICERestart: *again == "restart"})
		fmt.Println("offered again")
		p.say(2 * *lines / 3)
	}
}

func (p *pair) say(until int) {
	for p.said < until {
		p.said++
		must(p.channel.SendText(fmt.Sprintf("%s %d", *id, p.said)))
	}
}

func (p *pair) frame(f frame) {
	switch f.Type {
	case "room_state":
		fmt.Println("joined")
		if len(f.Peers) > 0 {
			p.offer(f.Peers[0])
		}
	case "peer_left":
		p.left = true
	case "webrtc_signal":
		p.signal(f.From, f.Signal)
	}
}

func main() {
	flag.Parse()
	link, _, err := websocket.DefaultDialer.Dial(fmt.Sprintf("%s/ws/%s?peer_id=%s", *server, *room, *id), nil)
	must(err)
	p := &pair{link: link, todo: make(chan func(), 64)}
	go func() {
		for {
			_, text, err := link.ReadMessage()
			must(err)
			var f frame
			// What has another form is not for this peer.
			if json.Unmarshal(text, &f) == nil {
				p.todo <- func() { p.frame(f) }
			}
		}
	}()
	for do := range p.todo {
		do()
		// The other side leaves once it has heard all and all that it said is delivered.
		if p.left && p.said >= *lines && p.heard >= *lines {
			os.Exit(0)
		}
	}
}
