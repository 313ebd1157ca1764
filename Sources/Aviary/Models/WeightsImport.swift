public import AviaryCheckpoint
public import AviaryGraph
internal import AviaryTensor

/// What a user states about weights on import.
public struct ImportOptions: Sendable {
  /// The architecture; nil to recognise it.
  public var architecture: String?
  /// Members of the configuration.
  public var configuration: JSON
  /// What the channels are; nil for what is customary.
  public var colour: Picture.Colour?
  /// The scale that the weights were trained for, where neither names nor shapes show it.
  public var scale: Int?
  /// Whether missing parameters may be zero and tensors left unused.
  public var allowMissing: Bool
  /// What the file itself does not say.
  public var reading = ReadingOptions()

  /// Nothing is stated unless said.
  public init(
    architecture: String? = nil, configuration: JSON = [:], colour: Picture.Colour? = nil,
    scale: Int? = nil, allowMissing: Bool = false
  ) {
    self.architecture = architecture
    self.configuration = configuration
    self.colour = colour
    self.scale = scale
    self.allowMissing = allowMissing
  }
}

extension Model {
  /// Makes a model of another framework's weights.
  ///
  /// - Throws: `CheckpointError` for a file that holds none or cannot be read; `RegistryError` if no
  ///   architecture or several fit; `GraphError` for a configuration that the architecture refuses;
  ///   `AviaryError.colour` or `.scale` for statements that do not fit.
  public static func imported(
    from path: String, _ options: ImportOptions, registry: Registry
  ) throws -> (model: Model, report: LoadReport) {
    var file = try WeightsFile.read(path, options.reading)
    var fit: Fit
    do {
      (fit, file) = try recognise(file, options, registry)
    } catch let error as RegistryError {
      guard options.allowMissing, let name = options.architecture,
        case .unrecognised = error
      else { throw error }
      // The user says what it is, and that it may be incomplete.
      let network = try registry[name].network(options.configuration)
      fit = Fit(network: network, assumed: [], names: nil)
    }
    try options.apply(to: &fit)

    var report = LoadReport(
      format: file.format.name, architecture: fit.network.architecture,
      configuration: fit.network.configuration, picture: fit.network.picture.json,
      names: fit.names?.source)
    report.unwrapping = file.unwrapping
    report.assumed = fit.assumed.map { "\($0): \(fit.value(of: $0))" }
    let weights = try fill(fit, file.tensors, &report)
    let index = WeightIndex(weights)
    let difference = Difference(index, fit.network.graph, network: fit.network.label)
    if !difference.isEmpty { throw AviaryError.weightsDoNotFit(path: path, difference) }
    if !options.allowMissing, !report.missing.isEmpty || !report.unused.isEmpty {
      throw AviaryError.weightsDoNotFit(
        path: path,
        Difference(
          WeightIndex(file.tensors.renamed(fit.canonical)), fit.network.graph,
          network: fit.network.label))
    }

    var model = Model(fit.network, weights: weights, card: Card())
    report.notFinite = model.notFinite
    model.card.provenance = [
      Card.Provenance(
        file: path.split(separator: "/").last.map(String.init) ?? path,
        sha256: try WeightsFile.sha256(path), format: file.format.name,
        conversions: report.conversions, assumptions: report.assumed)
    ]
    return (model, report)
  }

  /// Recognises the weights, with the prefix that was stripped put back where that alone fits.
  package static func recognise(
    _ file: WeightsFile, _ options: ImportOptions, _ registry: Registry
  ) throws -> (Fit, WeightsFile) {
    func attempt(_ file: WeightsFile) throws -> Fit {
      let weights = WeightIndex(file.tensors)
      let fit = try registry.detect(
        weights, as: options.architecture, overrides: options.configuration)
      // A scale that no shape shows (FSRCNN's) is what the user says, not what is customary.
      guard let scale = options.scale, fit.assumed.contains("scale") else { return fit }
      let stated = (options.configuration.object ?? [:]).merging(["scale": .int(scale)]) { $1 }
      return try registry.detect(
        weights, as: fit.network.architecture, overrides: .object(stated))
    }
    do {
      return (try attempt(file), file)
    } catch let error as RegistryError {
      guard case .unrecognised = error, !file.unwrapping.prefix.isEmpty,
        let fit = try? attempt(file.withPrefix)
      else { throw error }
      return (fit, file.withPrefix)
    }
  }

  /// The graph's parameters in order, filled from the file's tensors.
  private static func fill(
    _ fit: Fit, _ tensors: TensorSource, _ report: inout LoadReport
  ) throws -> NamedTensors {
    var byCanonicalName: [String: (name: String, tensor: Tensor)] = [:]
    for (name, tensor) in try tensors.loaded() {
      byCanonicalName[fit.canonical(name)] = (name, tensor)
    }
    var weights = NamedTensors()
    for parameter in fit.network.graph.parameters {
      let name = parameter.name
      guard let (foreign, tensor) = byCanonicalName.removeValue(forKey: name) else {
        if parameter.role != .bookkeeping {
          report.missing.append(name)
          weights[name] = try Tensor(zeros: parameter.shape)
        }
        continue
      }
      guard tensor.shape == parameter.shape else {
        report.mismatched.append(
          "\(name): shape \(parameter.shape) expected, \(tensor.shape) found")
        weights[name] = tensor
        continue
      }
      report.applied.append(name)
      if foreign != name { report.renamed.append(.init(from: foreign, to: name)) }
      let kept =
        parameter.role == .bookkeeping || Checkpoint.elementTypes.contains(tensor.elementType)
      if !kept { report.converted.append("\(name): \(tensor.elementType) to float32") }
      weights[name] = kept ? tensor : tensor.converted(to: .float32)
    }
    report.unused = byCanonicalName.values.map(\.name).sorted()
    return weights
  }
}

extension ImportOptions {
  /// Puts what the user states in the place of what is customary.
  package func apply(to fit: inout Fit) throws(AviaryError) {
    let name = fit.network.architecture
    if let colour {
      let channels = fit.network.graph.inputs[0].channels
      guard colour.channels == channels else {
        throw .colour(model: name, channels: channels, found: colour.rawValue)
      }
      fit.network.picture.colour = colour
    } else {
      // No tensor shows what its channels are.
      fit.assumed.append("picture.colour")
    }
    guard let scale else { return }
    if fit.network.picture.enlargeFirst == .no {
      let own = fit.network.graph.sizeRule().scale
      guard own == Ratio(max(scale, 1)) else {
        let expected = own.map {
          $0.denominator == 1 ? "\($0.numerator)" : "\($0.numerator)/\($0.denominator)"
        }
        throw .scale(model: name, expected: expected ?? "none", found: "\(scale)")
      }
    } else {
      guard (1...64).contains(scale) else {
        throw .scale(model: name, expected: "1 to 64", found: "\(scale)")
      }
      fit.network.picture.scales = [scale]
    }
  }
}

extension Fit {
  /// The value of a member of the configuration, or of the picture, as text.
  fileprivate func value(of member: String) -> String {
    if member.hasPrefix("picture.") {
      return network.picture.json[String(member.dropFirst("picture.".count))]?.text ?? "default"
    }
    return network.configuration[member]?.text ?? "default"
  }
}
