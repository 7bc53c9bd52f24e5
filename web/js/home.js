/** Where grtc-server is: two folders above this file, at the root of a host or below a path. */
export const HOME = new URL('../../', import.meta.url).href;
