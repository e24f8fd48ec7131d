/** @typedef {{catalog?: Record<string, string | string[]>, refusals?: Record<string, string>}} Words */

// No page, or one in English: what is written in the code.
const page = typeof document === "undefined" ? null : document.querySelector("#words");
/** @type {Words} */
const words = JSON.parse(page?.textContent || "{}");
export const language = page ? document.documentElement.lang : "en";
const plural = new Intl.PluralRules(language);

/** In the page's language. @param {string} english @param {Record<string, string | number>} [values] for {names} in it */
export function gettext(english, values = {}) {
  const found = words.catalog?.[english];
  return fill(typeof found === "string" ? found : english, values);
}

/**
 * @param {string} one @param {string} many @param {number} count also the value of {count}
 * @param {Record<string, string | number>} [values]
 */
export function ngettext(one, many, count, values = {}) {
  const form = plural.select(count) === "one" ? 0 : 1; // of two, as the catalogues' Plural-Forms say
  const found = words.catalog?.[one];
  return fill((Array.isArray(found) && found[form]) || (form === 0 ? one : many), { count, ...values });
}

/** The sentence of a server's refusal. @param {{code?: string, message: string}} error */
export const refusalOf = ({ code, message }) => words.refusals?.[code ?? ""] ?? message;

/** Why something was not done; an error without words is a lost connection. @param {{code?: string, message: string}} error */
export const whyNot = (error) => refusalOf(error) || gettext("there is no connection at the moment.");

/** @param {string} text @param {Record<string, string | number>} values */
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
