-- What changed with layout 4. Applied right after revisions.sql, or to a home of layout 2 or 3.

-- What is stored of rows: their figures, as homes up to layout 3 have them, or what these are made
-- from, with the number of the formulas.
ALTER TABLE parts ADD COLUMN layout TEXT NOT NULL DEFAULT 'figures'
    CHECK (layout = 'figures' OR layout GLOB 'facts-[1-9]*');

-- Of a whole part that was written for its layout alone: the hashes of the parts before, which held
-- the same figures, with spaces between.
ALTER TABLE parts ADD COLUMN stands_for TEXT;
