import Testing

/// Whole models of the real Keras: what our engine gives is what Keras gives.
@Suite struct KerasModelTests {
  @Test(arguments: KerasFixture.names) func runsAsInKeras(_ name: String) throws {
    try KerasFixture(name).check()
  }
}
