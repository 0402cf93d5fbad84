import fc from 'fast-check';

/** A test run is the same each time; a failure found with another seed is written down as a test of its own. */
fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 20_261_122) });
