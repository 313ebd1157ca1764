import AviaryGraph

/// Whole models of Keras as graphs of ours: what the configuration in a `.keras` archive or in a
/// whole-model `.h5` describes, computed by our operations with the borders that Keras has.
public enum KerasGraph {
  /// The network that a Keras file holds, with its weights.
  ///
  /// No code in the file is run: of a Lambda layer only a function's name counts.
  ///
  /// - Parameter file: a file that `WeightsFile.read` gave.
  /// - Returns: the network; nil for a file that holds weights only.
  /// - Throws: `InterchangeError`: `.layer` for a layer that no operation of ours computes,
  ///   `.description` for a configuration that contradicts itself, `.weights` where the weights do
  ///   not fit it, `.graph` for what is no sound graph.
  public static func graph(of file: WeightsFile) throws(InterchangeError) -> ImportedGraph? {
    guard case .keras(let configuration)? = file.network else { return nil }
    return try graph(configuration: configuration, weights: file)
  }

  /// The network that a configuration describes, with the weights of a file.
  ///
  /// - Parameters:
  ///   - configuration: JSON: `{"class_name": "Functional", "config": {…}}`.
  ///   - weights: the file, whose tensors are named by the configuration's layers.
  /// - Throws: as `graph(of:)`.
  package static func graph(
    configuration: String, weights: WeightsFile
  ) throws(InterchangeError) -> ImportedGraph {
    let json: JSON
    do throws(GraphError) {
      json = try JSON(parsing: configuration)
    } catch {
      throw .description(part: "the model's configuration", problem: "\(error)")
    }
    let version = weights.origin.version ?? json["keras_version"]?.string ?? "2"
    var parser = KerasParser(isKeras3: version.hasPrefix("3"))
    let network = try parser.model(json)
    var importer = KerasImport(network, weights, version: version)
    return try importer.result()
  }
}
