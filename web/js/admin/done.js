/** Says how something that was done fared, and has it seen. */
import { asApiError } from '../item_store.js';
import { errorKey } from '../ui/field.js';
import { showToast } from '../ui/toast-stack.js';

/**
 * @param {HTMLElement} where
 * @param {Promise<void> | undefined} work
 * @param {import('../ui/dom.js').Words} t what is said when it is done
 * @returns {Promise<boolean>} whether it is
 */
export async function done(where, work, t) {
  try {
    await work;
    showToast({ t, kind: 'good' });
    return true;
  } catch (caught) {
    const error = asApiError(caught);
    showToast({ t: [errorKey(error), { detail: error.message }], kind: 'bad' });
    return false;
  } finally {
    where.dispatchEvent(new CustomEvent('server-changed', { bubbles: true }));
  }
}
