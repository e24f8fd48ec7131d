// An English page has no translations, and a test has no page: the English text in the code is then used.
const script = typeof document === "undefined" ? null : document.querySelector("#translations");
/** @type {import("./frames.js").Translations} */
const translations = JSON.parse(script?.textContent || "{}");
export const language = script ? document.documentElement.lang : "en";
const pluralRules = new Intl.PluralRules(language);

/** Translate a text to the language of the page. @param {string} english @param {Record<string, string | number>} [values] for {placeholders} in it */
export function gettext(english, values = {}) {
  const found = translations.catalog?.[english];
  return fill(typeof found === "string" ? found : english, values);
}

/**
 * Translate a text that depends on a number.
 * @param {string} one @param {string} many @param {number} count also the value of {count}
 * @param {Record<string, string | number>} [values] for {placeholders} in it
 */
export function ngettext(one, many, count, values = {}) {
  const form = pluralRules.select(count) === "one" ? 0 : 1; // each catalogue has two plural forms
  const found = translations.catalog?.[one];
  return fill((Array.isArray(found) && found[form]) || (form === 0 ? one : many), { count, ...values });
}

/**
 * Return the text of a command's error in the language of the page. An error without a text is a lost connection.
 * @param {{code?: string, message: string}} error
 */
export function describeError({ code, message }) {
  return translations.refusals?.[code ?? ""] || message || gettext("There is no connection to the server.");
}

/** @param {string} text @param {Record<string, string | number>} values */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (placeholder, name) => String(values[name] ?? placeholder));
}
