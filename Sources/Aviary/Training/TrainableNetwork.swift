public import AviaryGraph
public import AviaryTraining

/// The network that a recipe describes, checked before any time is spent on it.
public struct TrainableNetwork: Hashable, Sendable {
  /// The network; its picture says for which scale it is trained, where nothing else would.
  public let network: Network
  /// How many times as large results are as what is to be restored.
  public let scale: Int
  /// The position of the graph's output that is trained.
  let output: Int
  /// How many pixels the output lacks on each side of the target: what convolutions without padding
  /// cost.
  let margin: Int

  /// Finds the architecture and builds it.
  ///
  /// - Throws: `RegistryError` for an architecture or preset that there is none of, `GraphError` for a
  ///   configuration that describes no network, `TrainingError` for an architecture that is not to be
  ///   trained so or a patch that it cannot take, `AviaryError.scale` for a scale that it cannot do,
  ///   `.inputs` for several inputs.
  public init(_ recipe: Recipe, registry: Registry) throws {
    let architecture = try registry[recipe.architecture]
    let name = architecture.info.name
    guard architecture.info.kind == .restoration else {
      throw TrainingError.training(
        name, expected: "an architecture that restores pictures",
        found: "one of kind '\(architecture.info.kind.rawValue)'")
    }
    var network = try TrainableNetwork.network(recipe, architecture)
    guard network.graph.parameters.contains(where: { $0.role == .weight }) else {
      throw TrainingError.training(
        name, expected: "an architecture with parameters to train", found: "none")
    }
    guard network.graph.inputs.count == 1 else {
      throw AviaryError.inputs(model: name, found: network.graph.inputs.map(\.name))
    }
    let enlargesFirst = network.picture.enlargeFirst != .no
    let ratios = network.graph.outputs.map { network.graph.ratios[$0.value] }
    let scale = recipe.scale ?? (enlargesFirst ? 1 : ratios[0]?.numerator ?? 1)
    guard let output = ratios.firstIndex(of: Ratio(enlargesFirst ? 1 : scale)),
      (1...64).contains(scale)
    else {
      let own = ratios.compactMap { $0.map { "\($0.numerator)" } }
      throw AviaryError.scale(
        model: name, expected: enlargesFirst ? "1 to 64" : own.joined(separator: ", "),
        found: "\(scale)")
    }
    if enlargesFirst { network.picture.scales = [scale] }
    (self.network, self.scale, self.output) = (network, scale, output)
    let rule = network.graph.sizeRule(output: output)
    margin = rule.shrinkage / 2
    let patch = recipe.batch.patch
    guard patch >= rule.minimum, patch % rule.exactMultiple == 0 else {
      throw TrainingError.recipe(
        field: "batch.patch",
        expected: "a multiple of \(rule.exactMultiple), at least \(rule.minimum), for \(name)",
        found: "\(patch)")
    }
  }

  /// The preset with what the recipe changes of it.
  private static func network(
    _ recipe: Recipe, _ architecture: AnyArchitecture
  ) throws -> Network {
    let preset =
      try recipe.preset.map { name throws(RegistryError) in try architecture.preset(name) }
      ?? architecture.presets[0].configuration
    guard let stated = (recipe.configuration ?? [:]).object else {
      throw TrainingError.recipe(
        field: "configuration", expected: "an object",
        found: recipe.configuration?.kind ?? "nothing")
    }
    var members = (preset.object ?? [:]).merging(stated) { $1 }
    // What refines enlarged pictures may be trained for any scale; what enlarges is built for its
    // own, which a preset says and the recipe may change.
    guard let scale = recipe.scale, let own = members["scale"], own != .int(scale) else {
      return try architecture.network(.object(members))
    }
    let plain = try architecture.network(.object(members))
    let refines =
      plain.picture.enlargeFirst != .no
      && plain.graph.ratios[plain.graph.outputs[0].value] == Ratio(1)
    if refines { return plain }
    guard stated["scale"] == nil else {
      throw TrainingError.recipe(
        field: "scale", expected: "\(own.text), as the configuration says,", found: "\(scale)")
    }
    members["scale"] = .int(scale)
    return try architecture.network(.object(members))
  }
}
