import ArgumentParser

/// What a user states for a checkpoint's model card.
struct CardStatements: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Licence of the weights, as an SPDX identifier, for the model card.", valueName: "name"))
  var licence: String?

  @Option(help: ArgumentHelp("Note for the model card; may be repeated.", valueName: "text"))
  var note: [String] = []
}
