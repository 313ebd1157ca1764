package import AviaryCheckpoint
package import AviaryGraph
package import AviaryTensor

/// A network as a Functional model of Keras's: stock layers only, channels last, as plain data.
package struct KerasModel: Sendable {
  /// A tensor of the model: what a call of a layer gives.
  package struct Place: Hashable, Sendable {
    /// The position of the layer in `layers`.
    package var layer: Int
    /// Which call of the layer, of those that share its weights.
    package var call: Int
    /// The dimensions, in Keras's order; nil where they depend on the picture.
    package var shape: [Int?]
  }

  /// One layer.
  package struct Layer: Sendable {
    /// The class of `keras.layers`.
    package var className: String
    /// The name, unique in the model.
    package var name: String
    /// The arguments of the class as Keras 3 spells them, without the name; what has its default may
    /// be left out.
    package var configuration: [String: JSON]
    /// Whether training may change the weights.
    package var isTrainable = true
    /// The weights in Keras's order.
    package var variables: [Variable] = []
    /// What each call takes.
    package var calls: [[Place]] = []
  }

  /// One weight of a layer.
  package struct Variable: Sendable {
    /// What Keras calls it: `kernel`.
    package var name: String
    /// The dimensions, in Keras's layout.
    package var shape: [Int]
    /// Where the elements come from.
    package var content: Content
  }

  /// Where a weight's elements come from.
  package enum Content: Sendable {
    /// A parameter of the graph, changed by steps.
    case parameter(String, [TensorStep])
    /// Something that is not learned: a one-hot kernel.
    case constant(Tensor)
  }

  /// The layers; each comes after what its first call takes.
  package var layers: [Layer] = []
  /// What the model takes, in the graph's order.
  package var inputs: [Place] = []
  /// What the model gives, in the graph's order.
  package var outputs: [Place] = []
}
