import ArgumentParser

/// What a user states for a checkpoint's card.
struct CardStatements: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The licence of the weights for the card, as an SPDX identifier.", valueName: "name"))
  var licence: String?

  @Option(help: ArgumentHelp("A note for the card; may be repeated.", valueName: "text"))
  var note: [String] = []
}
