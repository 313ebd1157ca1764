import ArgumentParser
import AviaryTraining

/// How images are degraded before they are restored.
struct DegradationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Blur the input: standard deviation of the Gaussian, in pixels.", valueName: "pixels"))
  var blur: Double?

  @Option(
    help: ArgumentHelp(
      "Add Gaussian noise to the input: standard deviation in 1/255. The same in every run.",
      valueName: "deviation"))
  var noise: Double?

  @Option(help: ArgumentHelp("Compress the input as JPEG of this quality.", valueName: "1-100"))
  var jpeg: Double?

  func validate() throws {
    for (name, value, range) in [
      ("--blur", blur, 0.0...64), ("--noise", noise, 0...255), ("--jpeg", jpeg, 1...100),
    ] {
      guard let value, !range.contains(value) else { continue }
      throw ValidationError(
        "\(name): \(Int(range.lowerBound)) to \(Int(range.upperBound)) expected, \(value) found")
    }
  }

  /// All of them, in this order.
  var list: [DataRecipe.Degradation] {
    [
      blur.map { .blur(deviation: $0...$0) }, noise.map { .noise(deviation: $0...$0) },
      jpeg.map { .jpeg(quality: $0...$0) },
    ].compactMap { $0 }
  }
}
