/** The stacks that have the interface of the browsers, or nearly. */
export async function loadStack(name) {
  switch (name) {
    case 'werift': {
      const { RTCPeerConnection } = await import('werift');
      return { RTCPeerConnection, Candidate: Object };
    }
    case 'wrtc': {
      const { default: wrtc } = await import('@roamhq/wrtc');
      return { RTCPeerConnection: wrtc.RTCPeerConnection };
    }
    case 'node-datachannel': {
      const { default: polyfill } = await import('node-datachannel/polyfill');
      return { RTCPeerConnection: polyfill.RTCPeerConnection };
    }
    default:
      throw new Error(`no stack is called ${name}`);
  }
}
