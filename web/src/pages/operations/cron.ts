/** Times that recur as people choose them, and as cron expressions. */

export const WHENS = [
  { value: "every", label: "Interval" },
  { value: "day", label: "Daily" },
  { value: "week", label: "Weekly" },
  { value: "cron", label: "Cron" },
] as const;

export interface When {
  how: (typeof WHENS)[number]["value"];
  /** Of these each counts for its own `how`. */
  every: string;
  time: string;
  weekday: string;
  cron: string;
}

export const EVERY: readonly (readonly [cron: string, said: string])[] = [
  ...[5, 10, 15, 20, 30].map((n) => [`*/${n} * * * *`, `${n} minutes`] as const),
  ["0 * * * *", "hour"],
  ...[2, 3, 4, 6, 8, 12].map((n) => [`0 */${n} * * *`, `${n} hours`] as const),
];

export const WEEKDAYS = [
  ["MON", "Monday"],
  ["TUE", "Tuesday"],
  ["WED", "Wednesday"],
  ["THU", "Thursday"],
  ["FRI", "Friday"],
  ["SAT", "Saturday"],
  ["SUN", "Sunday"],
] as const;

export function cronOf({ how, every, time, weekday, cron }: When): string {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  switch (how) {
    case "every":
      return every;
    case "day":
      return `${minute} ${hour} * * *`;
    case "week":
      return `${minute} ${hour} * * ${weekday}`;
    case "cron":
      return cron.trim();
  }
}

/** As it could be chosen; what nobody could choose stays the expression that it is. */
export function readCron(cron: string): When {
  const when: When = { how: "cron", every: "0 * * * *", time: "06:00", weekday: "MON", cron };
  if (EVERY.some(([one]) => one === cron)) return { ...when, how: "every", every: cron };
  const [, minute, hour, weekday] = /^(\d{1,2}) (\d{1,2}) \* \* (\*|[A-Z]{3})$/.exec(cron) ?? [];
  if (minute === undefined || hour === undefined || Number(minute) > 59 || Number(hour) > 23) return when;
  const time = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  if (weekday === "*") return { ...when, how: "day", time };
  const isDay = WEEKDAYS.some(([one]) => one === weekday);
  return isDay ? { ...when, how: "week", time, weekday: weekday ?? "MON" } : when;
}
