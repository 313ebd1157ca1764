import AviaryContainers

/// A layer of a Keras file with its variables, before anything is known of their layout.
struct KerasStoredLayer {
  /// A data set, and the file that it is in: of sharded weights there are several.
  struct Variable {
    /// What it is called within its layer, less the `:0` of TensorFlow: `kernel`, `W`; a number
    /// where Keras 3 stored it.
    var slot: String
    var dataSet: HDF5Tree.DataSet
    var tree: HDF5Tree
  }

  /// What the names of its tensors begin with, less the dot.
  var name: String
  /// What holds it, from the outside in, and itself last.
  var path: [String]
  /// What it computes, where its class is known.
  var kind: ExternalLayer.Kind?
  /// Whether its place in the list is its place in the model.
  var isOrdered: Bool
  /// The layer's own part of the model's configuration, where there is one.
  var configuration: KerasConfiguration.Layer?
  /// In the file's order.
  var variables: [Variable] = []
}
