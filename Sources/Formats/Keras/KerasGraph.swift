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

/// A model of Keras as its configuration has it, not yet understood: layers that call each other.
struct KerasNetwork {
  /// The model's name.
  var name: String
  /// The layers in the configuration's order.
  var layers: [KerasLayer]
  /// What it takes; empty for a Sequential, which takes what its first layer does.
  var inputs: [KerasReference] = []
  /// What it gives; empty for a Sequential, which gives what its last layer does.
  var outputs: [KerasReference] = []
  /// Whether each layer takes what the one before gives.
  var isSequential: Bool
  /// The shape that a Sequential without an input layer was built for.
  var builtShape: JSON?
}

/// A value of a model: a layer, which of its calls, which of its outputs.
struct KerasReference: Hashable {
  var layer: String
  var call: Int
  var output: Int
}

/// What a layer is called with.
enum KerasOperand {
  case value(KerasReference)
  /// A constant in the configuration, where an operation takes a value or a number.
  case constant(JSON)
}

/// One use of a layer.
struct KerasCall {
  /// What it is called with, lists made flat.
  var operands: [KerasOperand] = []
  /// Arguments by name that are values.
  var named: [String: KerasReference] = [:]
  /// Arguments by name that are constants.
  var options: [String: JSON] = [:]

  /// All values that it takes.
  var references: [KerasReference] {
    operands.compactMap { operand in
      guard case .value(let reference) = operand else { return nil }
      return reference
    } + named.sorted { $0.key < $1.key }.map(\.value)
  }
}

/// A value of the graph under construction, with what Keras calls its axes.
///
/// Our images are NCHW and Keras's mostly NHWC: no operation asks which, each asks where an axis of
/// Keras's lies.
struct KerasTensor {
  /// The number of the value in the graph.
  var index: Int
  /// The dimensions in our order, for one image of the size on which the graph is checked.
  var shape: [Int]
  /// Where each of Keras's axes lies among our dimensions.
  var axes: [Int]
  /// For a row of elements that Keras counts in another order than they lie here: the image that
  /// it was, without its first dimension.
  var flattened: Flattened?
  /// Whether the size depends on that of the network's input.
  var isSized = true

  /// An image that was flattened as it lay.
  struct Flattened: Hashable {
    /// Our dimensions.
    var shape: [Int]
    /// Where Keras's axes lie among them.
    var axes: [Int]

    /// For each element as it lies here, its place in Keras's order.
    var kerasPlaces: [Int] {
      // How far apart neighbours along our dimensions lie in Keras's order.
      var steps = shape.map { _ in 0 }
      var step = 1
      for axis in axes.reversed() {
        steps[axis] = step
        step *= shape[axis]
      }
      var places = [0]
      for (size, step) in zip(shape, steps) {
        places = places.flatMap { place in (0..<size).map { place + $0 * step } }
      }
      return places
    }
  }

  /// A value whose axes lie as Keras has them.
  init(index: Int, shape: [Int], axes: [Int]? = nil, isSized: Bool = true) {
    (self.index, self.shape, self.isSized) = (index, shape, isSized)
    self.axes = axes ?? Array(shape.indices)
  }

  /// The dimensions in Keras's order.
  var kerasShape: [Int] { axes.map { shape[$0] } }

  /// The number of dimensions.
  var rank: Int { shape.count }

  /// The axes of images: N, H, W, C of channels last, N, C, H, W of channels first.
  static func pictureAxes(channelsFirst: Bool) -> [Int] {
    channelsFirst ? [0, 1, 2, 3] : [0, 2, 3, 1]
  }
}

/// A call of a function among Keras's layers, with one input.
struct KerasFunction {
  /// The function's name in small letters, less what its versions differ in.
  var word: String
  /// The layer that the call is.
  var layer: KerasLayer
  /// The input.
  var x: KerasTensor
  /// Constant operands behind the input, which others give as options.
  var arguments: [JSON]
  /// The call's own options.
  var call: KerasCall

  /// The first of some options that is there and not null, of the call or of the layer.
  func option(_ names: String...) -> JSON? { KerasFunction.option(names, call, layer) }

  /// The first of some options of a call that is there and not null, of the call or of its layer.
  static func option(_ names: [String], _ call: KerasCall, _ layer: KerasLayer) -> JSON? {
    for name in names {
      if let value = call.options[name] ?? layer.option([name])
        ?? layer.config["arguments"]?[name],
        value != .null
      {
        return value
      }
    }
    return nil
  }
}
