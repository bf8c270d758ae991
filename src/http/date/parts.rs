//! What a date is put together from.
//!
//! In: numbers in the order they were read. Out: milliseconds of the day, of the time and of the zone, or nothing if they
//! make none. Source: the three composers of V8 (`src/date/dateparser.cc`).

use super::time;

/// Up to three numbers and a month name.
#[derive(Default)]
pub(super) struct Day {
    parts: [i64; 3],
    pub(super) count: usize,
    pub(super) month: Option<i64>,
    pub(super) iso: bool,
}

impl Day {
    pub(super) fn add(&mut self, value: i64) -> Option<()> {
        *self.parts.get_mut(self.count)? = value;
        self.count += 1;
        Some(())
    }

    pub(super) fn write(mut self) -> Option<i64> {
        if self.count == 0 {
            return None;
        }
        // What is missing counts as 1: `2024` is the first of January.
        while self.add(1).is_some() {}
        let is_day = |value: i64| (1..=31).contains(&value);
        let [a, b, c] = self.parts;
        let (year, month, day) = match self.month {
            None if self.iso || !is_day(a) => (a, b, c),
            None => (c, a, b),
            Some(month) if !is_day(a) => (a, month, b),
            Some(month) => (b, month, a),
        };
        let year = match year {
            0..=49 if !self.iso => year + 2000,
            50..=99 if !self.iso => year + 1900,
            _ => year,
        };
        // Further years do not fit into a date, whatever the zone.
        let fits = (-300_000..=300_000).contains(&year) && (1..=12).contains(&month) && is_day(day);
        fits.then(|| time(year, month, day))
    }
}

/// Hour, minute, second, millisecond.
#[derive(Default)]
pub(super) struct Clock {
    parts: [i64; 4],
    pub(super) count: usize,
    pub(super) half_day: Option<i64>,
}

impl Clock {
    pub(super) fn add(&mut self, value: i64) -> Option<()> {
        *self.parts.get_mut(self.count)? = value;
        self.count += 1;
        Some(())
    }

    pub(super) fn add_final(&mut self, value: i64) {
        let _ = self.add(value);
        self.count = 4;
    }

    pub(super) fn expects(&self, value: i64) -> bool {
        match self.count {
            1 | 2 => value < 60,
            3 => value < 1000,
            _ => false,
        }
    }

    pub(super) fn write(self) -> Option<i64> {
        let [mut hour, minute, second, ms] = self.parts;
        if let Some(offset) = self.half_day {
            if hour > 12 {
                return None;
            }
            hour = hour % 12 + offset;
        }
        let usual = hour < 24 && minute < 60 && second < 60 && ms < 1000;
        (usual || (hour, minute, second, ms) == (24, 0, 0, 0))
            .then_some(((hour * 60 + minute) * 60 + second) * 1000 + ms)
    }
}

#[derive(Default)]
pub(super) struct Zone {
    pub(super) sign: Option<i64>,
    pub(super) hour: Option<i64>,
    pub(super) minute: Option<i64>,
}

impl Zone {
    pub(super) fn set(&mut self, hours: i64) {
        self.sign = Some(if hours < 0 { -1 } else { 1 });
        self.hour = Some(hours.abs());
        self.minute = Some(0);
    }

    pub(super) fn expects(&self, value: i64) -> bool {
        self.hour.is_some() && self.minute.is_none() && value < 60
    }

    pub(super) fn is_utc(&self) -> bool {
        self.hour == Some(0) && self.minute == Some(0)
    }

    pub(super) fn write(self) -> i64 {
        let minutes = self.hour.unwrap_or(0) * 60 + self.minute.unwrap_or(0);
        self.sign.unwrap_or(0) * minutes * 60_000
    }
}
