/** What goes into a negotiator and what comes out of it. The keys are those of the golden traces. */

/**
 * @typedef {import('../protocol.js').Candidate} Candidate
 * @typedef {'connecting' | 'connected' | 'disconnected' | 'failed'} State how far it is
 * @typedef {{ sdp: string, attempt?: string | null }} NamedSdp
 * @typedef {{ candidate: Candidate | null, attempt?: string | null }} NamedCandidate
 * @typedef {{ message: string, attempt?: string | null }} NamedRefusal
 */
/**
 * What happened. The keys are those of the golden traces.
 * @typedef {'start' | 'tick' | 'try_again' | { give_up: { reason: string } }
 *   | { remote_offer: NamedSdp } | { remote_answer: NamedSdp } | { remote_candidate: NamedCandidate }
 *   | { remote_refusal: NamedRefusal }
 *   | { local_candidate: { connection: number, candidate: Candidate | null } }
 *   | { offer_created: { connection: number, sdp: string } } | { answer_created: { connection: number, sdp: string } }
 *   | { answer_applied: { connection: number } } | { operation_failed: { connection: number, message: string } }
 *   | { channel_open: { connection: number } } | { connection_lost: { connection: number, reason: string } }} Input
 */
/**
 * What to do, in the order given. `create_offer`, `accept_offer` and `apply_answer` have a result, which is an input.
 * @typedef {{ offer: { sdp: string, attempt: string | null } } | { answer: { sdp: string, attempt: string | null } }
 *   | { candidate: { candidate: Candidate, attempt: string | null } }
 *   | { refusal: { message: string, attempt: string | null } }} Send
 * @typedef {{ open: { connection: number, channel: boolean } } | { create_offer: { connection: number } }
 *   | { accept_offer: { connection: number, sdp: string } } | { apply_answer: { connection: number, sdp: string } }
 *   | { add_candidate: { connection: number, candidate: Candidate | null } } | { send: Send }
 *   | { close: { connection: number } } | { state: State } | { error: { message: string } }
 *   | { refused: { message: string } }} Action
 */

export {};
