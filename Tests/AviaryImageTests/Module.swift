// The tests of this module arrive with its next change.
