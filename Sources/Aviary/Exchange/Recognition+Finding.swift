internal import AviaryCheckpoint
internal import AviaryGraph
internal import AviaryInterchange

extension Recognition {
  /// Finds the network of a file's weights: what the user says it is; else what the file itself
  /// says; else what its names and shapes show.
  ///
  /// - Throws: as `StoredModel.imported(from:_:registry:)`.
  init(of file: WeightsFile, _ options: ImportOptions, _ registry: Registry) throws {
    if options.architecture == nil, options.configuration == [:],
      let own = try Recognition(byItself: file, options, registry)
    {
      self = own
      return
    }
    do {
      self = try Recognition(byNames: file, options, registry)
    } catch let error as RegistryError {
      guard options.allowMissing, let name = options.architecture, case .unrecognised = error
      else { throw error }
      // The user says what it is, and that it may be incomplete.
      self.init(
        network: try registry[name].network(options.configuration), tensors: file.tensors,
        assumed: [], reason: "stated, with parts missing")
    }
  }

  /// By names and shapes, with the prefix that was stripped put back where that alone fits.
  init(byNames file: WeightsFile, _ options: ImportOptions, _ registry: Registry) throws {
    func attempt(_ file: WeightsFile) throws -> Recognition {
      let weights = WeightIndex(file.tensors)
      var fit = try registry.detect(
        weights, as: options.architecture, overrides: options.configuration)
      // A scale that no shape shows (FSRCNN's) is what the user says, not what is customary.
      if let scale = options.scale, fit.assumed.contains("scale") {
        let stated = (options.configuration.object ?? [:]).merging(["scale": .int(scale)]) { $1 }
        fit = try registry.detect(
          weights, as: fit.network.architecture, overrides: .object(stated))
      }
      let names = fit.names
      return Recognition(
        network: fit.network, tensors: file.tensors.renamed { names?.canonical($0) ?? $0 },
        source: names?.source, assumed: fit.assumed,
        reason: names.map { "names and shapes, by the names of \($0.source)" } ?? "names and shapes"
      )
    }
    do {
      self = try attempt(file)
    } catch let error as RegistryError {
      guard case .unrecognised = error, !file.unwrapping.prefix.isEmpty,
        let recognised = try? attempt(file.withPrefix)
      else { throw error }
      self = recognised
    }
  }

  /// By what the file says of itself; nil where it says nothing.
  private init?(
    byItself file: WeightsFile, _ options: ImportOptions, _ registry: Registry
  ) throws {
    return nil
  }
}
