//! Firms and their plants, with entry and exit.
//!
//! A feed has a fixed number of *slots*, each with one living firm. After its death, a firm with a
//! new identifier takes the slot in the next year. A separate random stream draws a firm's whole
//! life at its founding.

use rayon::prelude::*;

use super::names;
use super::params::{Params, Population as Rates};
use super::places::Places;
use super::random::{Purpose, Stream, position, whole};

/// A plant: a firm in a city.
#[derive(Clone, Debug)]
pub struct Plant {
    /// The position of its city.
    pub city: u16,
    /// The first year in which the plant can export.
    pub opened: u16,
    /// The first year in which the plant can no longer export.
    pub closed: u16,
    /// Log ability, `ln φ^(σ-1)`.
    pub ln_ability: f64,
    /// The key of everything that persists: tastes for its good, fixed costs, goods.
    pub key: u64,
    /// The trade mode of most of its records.
    pub main_mode: &'static str,
    /// The fifth digit of its region.
    pub district: char,
}

/// A firm.
#[derive(Clone, Debug)]
pub struct Firm {
    /// The identifier: ten digits, of which the first four are the city of its first plant.
    pub id: String,
    /// Its name.
    pub name: String,
    /// True if the name marks a trade intermediary.
    pub intermediary: bool,
    /// The first year in which the firm is no longer alive.
    pub dies: u16,
    /// The plants, each in another city; the firm's first plant comes first.
    pub plants: Vec<Plant>,
}

impl Firm {
    /// The plants that can export in a year, with their positions.
    pub fn open_plants(&self, year: u16) -> impl Iterator<Item = (usize, &Plant)> {
        let open = move |plant: &Plant| plant.opened <= year && year < plant.closed;
        self.plants.iter().enumerate().filter(move |(_, plant)| open(plant))
    }
}

/// The firms alive in a year.
#[derive(Debug)]
pub struct Population {
    /// The firm of each slot.
    pub firms: Vec<Firm>,
    generations: Vec<u16>,
}

impl Population {
    /// The firms alive in the first year.
    pub fn found(params: &Params, places: &Places, first_year: u16) -> Self {
        let founded = |slot| Founding { params, places, slot, generation: 0, first_year }.firm();
        let firms = (0..params.firms).into_par_iter().map(founded).collect();
        Self { firms, generations: vec![0; params.firms as usize] }
    }

    /// Moves to a year, and replaces dead firms. Returns the slots of the replaced firms.
    pub fn advance(&mut self, params: &Params, places: &Places, year: u16) -> Vec<usize> {
        let dead: Vec<usize> =
            (0..self.firms.len()).filter(|&slot| self.firms[slot].dies <= year).collect();
        for &slot in &dead {
            self.generations[slot] += 1;
            let generation = self.generations[slot];
            let slot_number = u32::try_from(slot).expect("slots were counted in 32 bits");
            let founding =
                Founding { params, places, slot: slot_number, generation, first_year: year };
            self.firms[slot] = founding.firm();
        }
        dead
    }
}

/// The parameters of a firm's founding.
struct Founding<'a> {
    params: &'a Params,
    places: &'a Places,
    slot: u32,
    generation: u16,
    first_year: u16,
}

impl Founding<'_> {
    fn rates(&self) -> &Rates {
        &self.params.population
    }

    fn firm(&self) -> Firm {
        let (slot, generation) = (u64::from(self.slot), u64::from(self.generation));
        let mut stream = Stream::open(self.params.seed, Purpose::Founding, slot, generation);
        let intermediary = stream.happens(self.rates().intermediary_share);
        let dies = self.first_year.saturating_add(life(&mut stream, self.rates().death_rate));
        let cities = self.cities(&mut stream);
        let ability = stream.normal() * self.rates().firm_ability_sd;
        let several = cities.len() > 1;
        let plant = |(nth, &city): (usize, &u16)| {
            let lead = self.rates().first_plant_lead * f64::from(u8::from(several));
            let lag = self.rates().other_plants_lag * f64::from(u8::from(nth > 0));
            self.plant(&mut stream, city, (nth, dies), ability + lead - lag)
        };
        let plants = cities.iter().enumerate().map(plant).collect();
        let home = &self.places.cities[usize::from(cities[0])];
        let serial = generation * u64::from(self.params.firms) + slot;
        Firm {
            id: format!("{}{serial:06}", home.code),
            name: names::firm_name(&mut stream, home.name, intermediary),
            intermediary,
            dies,
            plants,
        }
    }

    /// The firm's cities, all different: a Pareto number of cities for a firm with several.
    fn cities(&self, stream: &mut Stream) -> Vec<u16> {
        let mut wanted = 1;
        if stream.happens(self.rates().multi_plant_share) {
            let pareto = 2.0 * libm::pow(stream.unit(), -1.0 / self.rates().plants_exponent);
            let most = self.rates().plants_max.min(self.params.cities / 2).max(2);
            wanted = whole(pareto).min(most) as usize;
        }
        let mut cities: Vec<u16> = Vec::with_capacity(wanted);
        while cities.len() < wanted {
            let city = self.city(stream);
            if !cities.contains(&city) {
                cities.push(city);
            }
        }
        cities
    }

    fn city(&self, stream: &mut Stream) -> u16 {
        if stream.happens(self.rates().even_city_share) {
            return u16::try_from(stream.below(self.params.cities)).expect("cities are few");
        }
        let city = position(&self.places.city_sizes, stream.unit());
        u16::try_from(city).expect("cities are few")
    }

    /// A plant. The first plant lives as long as the firm. Half of the others open later; fewer do
    /// in firms of the first year, whose plants have had time to open.
    fn plant(
        &self,
        stream: &mut Stream,
        city: u16,
        (nth, dies): (usize, u16),
        mean_ability: f64,
    ) -> Plant {
        let late_share = if self.generation == 0 { 0.25 } else { 0.5 };
        let late = nth > 0 && stream.happens(late_share);
        let delay = if late { 1 + u16::try_from(stream.below(8)).expect("below 8") } else { 0 };
        let opened = self.first_year.saturating_add(delay);
        let closing = opened.saturating_add(life(stream, self.rates().plant_close_rate));
        Plant {
            city,
            opened,
            closed: if nth > 0 { closing.min(dies) } else { dies },
            ln_ability: mean_ability + stream.normal() * self.rates().plant_ability_sd,
            key: stream.key(),
            main_mode: main_mode(stream),
            district: *stream.pick(&['9', '1', '2', '3', '6']),
        }
    }
}

/// The number of years until an event with a yearly rate, at least one.
fn life(stream: &mut Stream, rate: f64) -> u16 {
    if rate <= 0.0 {
        return u16::MAX;
    }
    u16::try_from(stream.failures(rate)).unwrap_or(u16::MAX).saturating_add(1)
}

/// A trade mode, drawn by its frequency: ordinary, processing with imported and with supplied
/// materials, bonded, other.
fn main_mode(stream: &mut Stream) -> &'static str {
    const MODES: [&str; 6] = ["10", "15", "14", "34", "33", "39"];
    const UP_TO: [f64; 6] = [0.60, 0.85, 0.92, 0.96, 0.98, 1.0];
    MODES[position(&UP_TO, stream.unit())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(params: &Params) -> (Population, Places) {
        let places = Places::choose(params).expect("the sizes are possible");
        (Population::found(params, &places, 2000), places)
    }

    #[test]
    fn plants_of_a_firm_are_in_different_cities() {
        let (population, _) = drawn(&Params::default());
        for firm in &population.firms {
            let mut cities: Vec<u16> = firm.plants.iter().map(|plant| plant.city).collect();
            cities.sort_unstable();
            cities.dedup();
            assert_eq!(cities.len(), firm.plants.len(), "{firm:?}");
        }
    }

    #[test]
    fn the_dead_are_replaced_by_firms_with_new_identifiers() {
        let params = Params::default();
        let (mut population, places) = drawn(&params);
        let before: Vec<String> = population.firms.iter().map(|firm| firm.id.clone()).collect();
        let replaced = population.advance(&params, &places, 2003);
        assert!((200..600).contains(&replaced.len()), "{} of 2000 died", replaced.len());
        for slot in replaced {
            assert_ne!(population.firms[slot].id[4..], before[slot][4..]);
            assert!(population.firms[slot].dies > 2003);
        }
    }
}
