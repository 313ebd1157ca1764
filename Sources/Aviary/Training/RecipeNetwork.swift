public import AviaryGraph
public import AviaryTraining

/// The network that a recipe describes, checked before any time is spent on it.
public struct RecipeNetwork: Hashable, Sendable {
  /// The network; its image description says which scale it is trained for if nothing else does.
  public let network: Network
  /// The geometry that maps input patches to results.
  public let geometry: PatchGeometry

  /// How many times larger results are than inputs.
  public var scale: Int { geometry.scale }

  /// Finds the architecture and builds it.
  ///
  /// - Throws: `RegistryError` for an unknown architecture or preset, `GraphError` for a
  ///   configuration that describes no network, `TrainingError` for an architecture that cannot be
  ///   trained, and for a scale or a patch size that it does not support.
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
    let own = network.graph.scale(ofOutput: 0)?.numerator
    let scale = recipe.scale ?? (enlargesFirst ? 1 : own ?? 1)
    geometry = try PatchGeometry(
      network.graph, picture: network.picture, scale: scale, patch: recipe.batch.patch)
    if enlargesFirst { network.picture.scales = [scale] }
    self.network = network
  }

  /// The preset with the recipe's changes.
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
    // A network that refines enlarged images can be trained for any scale; one that enlarges is
    // built for its own scale, which the preset states and the recipe may change.
    guard let scale = recipe.scale, let own = members["scale"], own != .int(scale) else {
      return try architecture.network(.object(members))
    }
    let plain = try architecture.network(.object(members))
    let refines =
      plain.picture.enlargeFirst != .no
      && plain.graph.scale(ofOutput: 0) == Ratio(1)
    if refines { return plain }
    guard stated["scale"] == nil else {
      throw TrainingError.recipe(
        field: "scale", expected: "\(own.text), as the configuration says,", found: "\(scale)")
    }
    members["scale"] = .int(scale)
    return try architecture.network(.object(members))
  }
}
