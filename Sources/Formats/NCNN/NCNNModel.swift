import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

/// Networks of ncnn as graphs of ours.
package enum NCNNModel {
  /// The graph of an ncnn file and its weights.
  ///
  /// Layers keep their names, and so do outputs: those of the blobs that no layer takes. Input sizes
  /// are let go wherever the network runs on any, as ncnn lets them go. Reads the elements of
  /// constants only.
  ///
  /// - Parameter file: one that `WeightsFile.read` found to be `.ncnnParameters`.
  /// - Throws: `InterchangeError.layer` for a layer that no operation computes, `.description` for a
  ///   file of another kind, `.weights` and `.graph` where layers do not fit each other.
  package static func graph(_ file: WeightsFile) throws(InterchangeError) -> ImportedGraph {
    guard case .ncnn(let network)? = file.network else {
      throw .description(part: file.path, problem: "an ncnn network expected")
    }
    var importer = NCNNImporter(network, file.tensors)
    for layer in network.layers { try importer.add(layer) }
    let (graph, notes) = try importer.graph()
    return ImportedGraph(
      graph: graph, weights: try weights(of: graph, importer), assumed: importer.assumed,
      notes: notes + importer.notes)
  }

  /// The file's tensors in the order of the graph's parameters.
  private static func weights(
    of graph: Graph, _ importer: NCNNImporter
  ) throws(InterchangeError) -> TensorSource {
    let stored: TensorSource
    do {
      stored = try importer.tensors.changed { importer.steps[$0.name] ?? [] }
    } catch {
      throw .description(part: "the weights", problem: error.description)
    }
    var descriptions: [TensorDescription] = []
    for parameter in graph.parameters {
      if let tensor = stored[parameter.name] {
        guard tensor.shape == parameter.shape else {
          throw .weights(
            layer: parameter.name, expected: "shape \(parameter.shape)", found: "\(tensor.shape)")
        }
        descriptions.append(tensor)
      } else if parameter.role == .nonPersistent {
        // ncnn counts no training steps.
        descriptions.append(
          TensorDescription(
            name: parameter.name, shape: parameter.shape, elementType: .int64, isBookkeeping: true))
      } else {
        throw .weights(
          layer: parameter.name, expected: "shape \(parameter.shape)", found: "nothing")
      }
    }
    let complete = descriptions
    return TensorSource(complete) { (position) throws(CheckpointError) in
      let description = complete[position]
      if let tensor = try stored.tensor(description.name) { return tensor }
      do {
        return try Tensor(zeros: description.shape, elementType: .int64)
      } catch {
        throw .damaged(path: description.name, part: "the shape", reason: "\(error)")
      }
    }
  }
}
