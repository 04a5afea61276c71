//! The Laplacian of a graph, eliminated vertex by vertex with as many entries as it has edges.
//!
//! # Equation
//! The elimination of a vertex joins its neighbours in pairs; all pairs would fill the matrix.
//! Instead, each neighbour but the last, in order of weight, gets one new edge to a heavier
//! neighbour. That neighbour is drawn in proportion to the weights, and the edge's weight makes the
//! expectation equal to the exact elimination. The method is by Gao, Kyng and Spielman (2023,
//! "Robust and practical solution of Laplacian equations by approximate elimination"). A vertex
//! with the fewest edges is eliminated first. Trees, chains and cycles are therefore eliminated
//! exactly.
//!
//! Weights are only added and multiplied, so nothing cancels. The random numbers start from a
//! constant: the same graph gives the same factors.

use super::lanes::LANES;

/// The number that stands for no vertex and no edge.
const NONE: u32 = u32::MAX;
/// The queue does not sort vertices with more edges by their number of edges.
const DEGREES_TOLD_APART: usize = 4096;

/// `L ≈ U' D U`, column by column.
#[derive(Debug, Default)]
pub struct Factors {
    n_vertices: usize,
    /// Vertices in the order of their elimination, without the last of each component.
    order: Vec<u32>,
    /// The start of the entries of each vertex, and the end.
    starts: Vec<usize>,
    neighbours: Vec<u32>,
    /// The share of the remainder that goes to each neighbour; the last neighbour of a vertex gets
    /// the whole remainder.
    shares: Vec<f64>,
    /// `D`
    pivots: Vec<f64>,
    /// The last vertex of each component.
    roots: Vec<u32>,
}

/// Several right-hand sides: one number of each for a vertex.
pub type Lane = [f64; LANES];

impl Factors {
    /// Eliminates the vertices of a graph. Its edges are pairs of different vertices with a
    /// positive weight.
    ///
    /// # Panics
    /// If there are 2^31 edges or more.
    #[must_use]
    pub fn new(n_vertices: usize, edges: &[(u32, u32, f64)]) -> Self {
        let mut graph = Graph::new(n_vertices, edges);
        let mut factors = Self { n_vertices, starts: vec![0], ..Self::default() };
        let (mut near, mut random) = (Vec::new(), Random::default());
        for _ in 0..n_vertices {
            let vertex = graph.queue.pop();
            graph.neighbours(vertex, &mut near);
            if near.is_empty() {
                factors.roots.push(vertex);
            } else {
                factors.eliminate(vertex, &near, &mut graph, &mut random);
            }
        }
        factors
    }

    fn eliminate(
        &mut self,
        vertex: u32,
        near: &[HalfEdge],
        graph: &mut Graph,
        random: &mut Random,
    ) {
        let mut above: Vec<f64> = vec![0.0; near.len() + 1];
        for (at, half) in near.iter().enumerate().rev() {
            above[at] = above[at + 1] + half.weight;
        }
        let (mut total, mut left) = (above[0], 1.0);
        let (last, others) = near.split_last().expect("a vertex with neighbours");
        for (at, half) in others.iter().enumerate() {
            let share = (half.weight * left / total).min(1.0);
            let beyond = above[at + 1] * random.next();
            let heavier = at + 1..near.len() - 1;
            let chosen = heavier.start
                + above[heavier.start + 1..=heavier.end].partition_point(|&rest| rest > beyond);
            graph.join(half, near[chosen].to, share * (1.0 - share) * total);
            self.neighbours.push(half.to);
            self.shares.push(share);
            left *= 1.0 - share;
            total *= (1.0 - share).powi(2);
        }
        graph.cut(last);
        self.neighbours.push(last.to);
        self.shares.push(1.0);
        self.order.push(vertex);
        self.pivots.push(last.weight * left);
        self.starts.push(self.neighbours.len());
    }

    /// Replaces right-hand sides by solutions. Right-hand sides sum to zero over each component;
    /// solutions are zero at its last vertex.
    ///
    /// # Panics
    /// If the number of rows differs from the number of vertices.
    pub fn solve(&self, rows: &mut [Lane]) {
        assert_eq!(rows.len(), self.n_vertices, "a row for each vertex");
        let entries = || self.starts.windows(2).map(|bounds| bounds[0]..bounds[1] - 1);
        for ((&vertex, pivot), entries) in self.order.iter().zip(&self.pivots).zip(entries()) {
            let mut own = rows[vertex as usize];
            for (&to, &share) in
                self.neighbours[entries.clone()].iter().zip(&self.shares[entries.clone()])
            {
                let row = &mut rows[to as usize];
                for lane in 0..LANES {
                    row[lane] += share * own[lane];
                    own[lane] *= 1.0 - share;
                }
            }
            let row = &mut rows[self.neighbours[entries.end] as usize];
            for lane in 0..LANES {
                row[lane] += own[lane];
                own[lane] = if *pivot > 0.0 { own[lane] / pivot } else { 0.0 };
            }
            rows[vertex as usize] = own;
        }
        self.roots.iter().for_each(|&root| rows[root as usize] = [0.0; LANES]);
        for (&vertex, entries) in self.order.iter().zip(entries()).rev() {
            let mut own = rows[vertex as usize];
            let row = rows[self.neighbours[entries.end] as usize];
            for lane in 0..LANES {
                own[lane] += row[lane];
            }
            let each = self.neighbours[entries.clone()].iter().zip(&self.shares[entries]);
            for (&to, &share) in each.rev() {
                let row = rows[to as usize];
                for lane in 0..LANES {
                    own[lane] = (1.0 - share) * own[lane] + share * row[lane];
                }
            }
            rows[vertex as usize] = own;
        }
    }
}

/// An edge seen from one of its vertices.
#[derive(Debug, Clone, Copy)]
struct HalfEdge {
    to: u32,
    weight: f64,
    /// The number of the half; the number of the other half differs in the last bit.
    number: u32,
}

/// The remaining edges: a list of halves for each vertex.
struct Graph {
    first: Vec<u32>,
    next: Vec<u32>,
    to: Vec<u32>,
    /// The weight of each edge; zero after its removal.
    weights: Vec<f64>,
    queue: Queue,
}

impl Graph {
    fn new(n_vertices: usize, edges: &[(u32, u32, f64)]) -> Self {
        assert!(edges.len() < 1 << 31, "{} edges", edges.len());
        let mut degrees = vec![0_u32; n_vertices];
        let (mut first, mut to) = (vec![NONE; n_vertices], Vec::with_capacity(2 * edges.len()));
        let mut next = Vec::with_capacity(2 * edges.len());
        for (&(a, b, _), number) in edges.iter().zip((0..).step_by(2)) {
            for (own, other, number) in [(a, b, number), (b, a, number + 1)] {
                to.push(other);
                next.push(std::mem::replace(&mut first[own as usize], number));
                degrees[own as usize] += 1;
            }
        }
        let weights = edges.iter().map(|&(_, _, weight)| weight).collect();
        Self { first, next, to, weights, queue: Queue::new(degrees) }
    }

    /// The neighbours of a vertex in order of their weights; edges to the same neighbour are
    /// merged.
    fn neighbours(&mut self, vertex: u32, near: &mut Vec<HalfEdge>) {
        near.clear();
        let mut number = self.first[vertex as usize];
        while number != NONE {
            let weight = self.weights[number as usize / 2];
            if weight > 0.0 {
                near.push(HalfEdge { to: self.to[number as usize], weight, number });
            }
            number = self.next[number as usize];
        }
        near.sort_unstable_by_key(|half| (half.to, half.number));
        near.dedup_by(|half, kept| {
            let is_same = half.to == kept.to;
            if is_same {
                kept.weight += half.weight;
                self.cut(half);
            }
            is_same
        });
        near.sort_unstable_by(|a, b| a.weight.total_cmp(&b.weight).then(a.to.cmp(&b.to)));
    }

    /// Removes an edge from the vertex at its other end.
    fn cut(&mut self, half: &HalfEdge) {
        self.weights[half.number as usize / 2] = 0.0;
        self.queue.count(half.to, -1);
    }

    /// Replaces the near end of an edge by another vertex.
    fn join(&mut self, half: &HalfEdge, other: u32, weight: f64) {
        if weight <= 0.0 {
            return self.cut(half);
        }
        let (own, back) = (half.number as usize, half.number as usize ^ 1);
        self.weights[own / 2] = weight;
        self.to[back] = other;
        self.to[own] = half.to;
        self.next[own] = std::mem::replace(&mut self.first[other as usize], half.number);
        self.queue.count(other, 1);
    }
}

/// The vertices by number of edges.
struct Queue {
    first: Vec<u32>,
    next: Vec<u32>,
    before: Vec<u32>,
    degrees: Vec<u32>,
    least: usize,
}

impl Queue {
    fn new(degrees: Vec<u32>) -> Self {
        let n = degrees.len();
        let (next, before) = (vec![NONE; n], vec![NONE; n]);
        let mut queue =
            Self { first: vec![NONE; DEGREES_TOLD_APART], next, before, degrees, least: 0 };
        (0..).take(n).for_each(|vertex| queue.insert(vertex));
        queue
    }

    fn place(&self, vertex: u32) -> usize {
        (self.degrees[vertex as usize] as usize).min(DEGREES_TOLD_APART - 1)
    }

    fn insert(&mut self, vertex: u32) {
        let place = self.place(vertex);
        let next = std::mem::replace(&mut self.first[place], vertex);
        if next != NONE {
            self.before[next as usize] = vertex;
        }
        (self.next[vertex as usize], self.before[vertex as usize]) = (next, NONE);
        self.least = self.least.min(place);
    }

    fn remove(&mut self, vertex: u32) {
        let (before, next) = (self.before[vertex as usize], self.next[vertex as usize]);
        if before == NONE {
            let place = self.place(vertex);
            self.first[place] = next;
        } else {
            self.next[before as usize] = next;
        }
        if next != NONE {
            self.before[next as usize] = before;
        }
    }

    /// Changes the number of edges of a vertex.
    fn count(&mut self, vertex: u32, change: i32) {
        self.remove(vertex);
        let degree = &mut self.degrees[vertex as usize];
        *degree = degree.saturating_add_signed(change);
        self.insert(vertex);
    }

    /// Takes a vertex with the fewest edges.
    fn pop(&mut self) -> u32 {
        while self.first[self.least] == NONE {
            self.least += 1;
        }
        let vertex = self.first[self.least];
        self.remove(vertex);
        vertex
    }
}

/// Random numbers, the same in every run (splitmix64).
#[derive(Default)]
struct Random(u64);

impl Random {
    /// A number in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }
}
