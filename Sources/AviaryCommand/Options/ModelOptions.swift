import ArgumentParser
import Aviary
import AviaryFormats
import AviaryGraph

/// Options that say which models are available.
struct ZooOptions: ParsableArguments {
  @Option(
    name: .customLong("plugin"),
    help: ArgumentHelp(
      "Load architectures from a library or a JSON file; may be repeated.",
      discussion: "A library runs code: load only what you trust.", valueName: "path"),
    completion: .file(extensions: ["so", "json"]))
  var plugins: [String] = []

  /// The architectures, including those of plugins, and the checkpoints.
  ///
  /// - Throws: an error in a plugin.
  func zoo() throws -> Zoo { Zoo(registry: try Registry.builtin.loading(plugins: plugins)) }
}

extension Zoo {
  /// Loads the model that a user names, and prints what the user should know to standard error:
  /// assumptions about weights imported on the fly, and weights that are NaN or infinite.
  ///
  /// - Parameters:
  ///   - isScaleStated: whether `scale` must be the network's own, where it has one.
  ///   - strength: the noise level that the network is told; nil for its own.
  ///   - quiet: whether notes are left out; warnings never are.
  func load(
    _ reference: String, scale: Int?, isScaleStated: Bool = true, strength: Double? = nil,
    _ options: WeightsOptions, quiet: Bool
  ) throws -> Model {
    var (model, report) = try naming(reference) {
      var imported = try options.importOptions(scale: scale)
      imported.isScaleStated = isScaleStated
      return try self.model(reference, scale: scale, imported)
    }
    if let strength {
      model = try model.told(strength: strength, registry)
      report?.assumed.removeAll { $0.hasPrefix("noise:") }
      report?.configuration = model.configuration
    }
    if let report {
      let probe = ImportProbe(model)
      if !quiet {
        let compared = probe?.compared(report, registry) ?? report
        let assumed = compared.assumptions.joined(separator: ", ")
        Console.note(
          "\(reference): taken for \(report.network)"
            + (assumed.isEmpty ? "" : "; assumed: \(assumed)"))
        // Which of several dictionaries of weights was taken is the user's to know.
        for note in report.unwrapping.notes { Console.note("\(reference): \(note)") }
      }
      if let probe { Console.warn(of: probe, in: reference) }
    } else if !options.stated.isEmpty {
      // Silently running a different network from the one stated would be the worst outcome.
      throw CommandError.notForModel(
        reference, options: options.stated,
        why: model.weights.isEmpty
          ? "it has no weights" : "a checkpoint says so itself (aviary convert changes it)")
    }
    model.warnOfValues(reference)
    return model
  }
}

extension Model {
  /// Warns of weights that are NaN or infinite: the result would be too.
  func warnOfValues(_ reference: String) { Console.warn(ofValues: notFinite, in: reference) }
}

extension Console {
  /// Warns of an imported network whose result for a natural image is no image.
  static func warn(of probe: ImportProbe, in reference: String) {
    if let problem = probe.problem { warn("\(reference): \(problem)") }
  }

  /// Warns of weights that are NaN or infinite.
  static func warn(ofValues names: [String], in reference: String) {
    guard !names.isEmpty else { return }
    let first = names.prefix(3).joined(separator: ", ")
    let more = names.count > 3 ? " and \(names.count - 3) more" : ""
    warn("\(reference): there are NaN or infinite weights in \(first)\(more)")
  }
}
