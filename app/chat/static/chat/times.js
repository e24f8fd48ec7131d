import { gettext, language } from "./gettext.js";

const locale = language === "en" ? "en-GB" : language; // days before months, as everywhere else here
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });

/** "18:42" @param {Date} at */
export const timeOf = (at) => clock.format(at);

/** The whole date and time. @param {Date} at */
export const momentOf = (at) => exact.format(at);

/** "Today", "Yesterday", "Thursday, 19 November", and the year when it is not this one. @param {Date} at @param {Date} now */
export function dayOf(at, now) {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (at.toDateString() === now.toDateString()) return gettext("Today");
  if (at.toDateString() === yesterday.toDateString()) return gettext("Yesterday");
  const year = at.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return at.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long", year });
}
