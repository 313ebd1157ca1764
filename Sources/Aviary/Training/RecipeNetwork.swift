public import AviaryGraph
public import AviaryTraining

/// The network that a recipe describes, checked before any time is spent on it.
public struct RecipeNetwork: Hashable, Sendable {
  /// The network; its picture says for which scale it is trained, where nothing else would.
  public let network: Network
  /// How patches of what it is given lie to its results.
  public let geometry: PatchGeometry

  /// How many times as large results are as what is to be restored.
  public var scale: Int { geometry.scale }

  /// Finds the architecture and builds it.
  ///
  /// - Throws: `RegistryError` for an architecture or preset that there is none of, `GraphError` for a
  ///   configuration that describes no network, `TrainingError` for an architecture that is not to be
  ///   trained, and a scale or a patch that it cannot do.
  public init(_ recipe: Recipe, registry: Registry) throws {
    let architecture = try registry[recipe.architecture]
    let name = architecture.info.name
    guard architecture.info.kind == .restoration else {
      throw TrainingError.training(
        name, expected: "an architecture that restores pictures",
        found: "one of kind '\(architecture.info.kind.rawValue)'")
    }
    var network = try RecipeNetwork.network(recipe, architecture)
    guard network.graph.parameters.contains(where: { $0.role == .weight }) else {
      throw TrainingError.training(
        name, expected: "an architecture with parameters to train", found: "none")
    }
    let enlargesFirst = network.picture.enlargeFirst != .no
    let own = network.graph.ratios[network.graph.outputs[0].value]?.numerator
    let scale = recipe.scale ?? (enlargesFirst ? 1 : own ?? 1)
    geometry = try PatchGeometry(
      network.graph, picture: network.picture, scale: scale, patch: recipe.batch.patch)
    if enlargesFirst { network.picture.scales = [scale] }
    self.network = network
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
