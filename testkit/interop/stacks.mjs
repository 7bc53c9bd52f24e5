/** The stacks that have the interface of the browsers, or nearly. */
export async function loadStack(name) {
  switch (name) {
    case 'werift':
      return import('werift');
    case 'wrtc':
      return (await import('@roamhq/wrtc')).default;
    case 'node-datachannel':
      return (await import('node-datachannel/polyfill')).default;
    default:
      throw new Error(`no stack is called ${name}`);
  }
}
