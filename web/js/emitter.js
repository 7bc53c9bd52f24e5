/**
 * Typed events: `on` gives back the function that ends the listening.
 * @template {Record<string, unknown>} Events
 */
export class Emitter {
  /** @type {Map<keyof Events, Set<(event: any) => void>>} */
  #listeners = new Map();

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(event: Events[Name]) => void} listener
   * @returns {() => void}
   */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /**
   * @protected
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {Events[Name]} event
   */
  emit(name, event) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        // A listener's fault is its own: it is reported, and what runs here goes on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
