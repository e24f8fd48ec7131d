import { gettext, language } from "./gettext.js";

const locale = language === "en" ? "en-GB" : language; // English pages also write the day before the month
const timeFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dateTimeFormat = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });

/** Format the time of day: "18:42". @param {Date} at */
export function formatTime(at) {
  return timeFormat.format(at);
}

/** Format the full date and time. @param {Date} at */
export function formatDateTime(at) {
  return dateTimeFormat.format(at);
}

/** Format a day: "Today", "Yesterday", "Thursday, 19 November", with the year if it is not this one. @param {Date} at @param {Date} now */
export function formatDay(at, now) {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (at.toDateString() === now.toDateString()) return gettext("Today");
  if (at.toDateString() === yesterday.toDateString()) return gettext("Yesterday");
  const year = at.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return at.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long", year });
}
