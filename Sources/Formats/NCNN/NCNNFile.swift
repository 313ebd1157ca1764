import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryGraph
import AviaryTensor

/// An ncnn network: a text of layers, and beside it the file of their weights.
enum NCNNFile {
  /// Describes the network and its tensors, named `<layer>.weight` and so on: ncnn keeps no names
  /// of parameters. Layouts are PyTorch's.
  ///
  /// - Parameter given: the `.param` file, or the file of the same name that ends in `.bin` and has
  ///   the weights.
  static func read(_ given: String) throws(CheckpointError) -> WeightsFile {
    let path = parametersPath(beside: given) ?? given
    let network = try NCNNParameters.read(path)
    var wanted: [(name: String, weight: NCNNWeight)] = []
    for layer in network.layers {
      for weight in try NCNNWeight.of(layer, path: path) {
        wanted.append(("\(layer.name).\(weight.suffix)", weight))
      }
    }
    guard !wanted.isEmpty else {
      return weights(path, network, TensorSource(NamedTensors()))
    }
    var binary = try NCNNBinary(weightsPath(of: path))
    for (name, weight) in wanted { try binary.append(weight, name: name) }
    try binary.finish()
    let complete = binary
    let stored = TensorSource(
      complete.entries.map {
        TensorDescription(name: $0.name, shape: $0.shape, elementType: $0.elementType)
      }
    ) { (position) throws(CheckpointError) in try complete.tensor(complete.entries[position]) }
    let steps = Dictionary(wanted.map { ($0.name, $0.weight.steps) }) { first, _ in first }
    do {
      return weights(path, network, try stored.changed { steps[$0.name] ?? [] })
    } catch {
      throw .damaged(path: path, part: "the kernels", reason: error.description)
    }
  }

  private static func weights(
    _ path: String, _ network: NCNNNetwork, _ tensors: TensorSource
  ) -> WeightsFile {
    WeightsFile(
      path: path, format: .ncnnParameters, tensors: tensors, origin: Origin(.ncnn),
      network: .ncnn(network))
  }

  /// The text that belongs to a file of weights, which says by itself neither what it is nor what
  /// is in it; nil where there is none.
  static func parametersPath(beside path: String) -> String? {
    guard path.hasSuffix(".bin") else { return nil }
    let text = String(path.dropLast("bin".count)) + "param"
    guard let file = try? InputFile(weights: text),
      let head = try? file.read(at: 0, count: 7, part: "the beginning")
    else { return nil }
    return head.elementsEqual("7767517".utf8) ? text : nil
  }

  /// `x.bin` for `x.param`, and for `x.ncnn.param` likewise.
  static func weightsPath(of path: String) -> String {
    path.hasSuffix(".param") ? path.dropLast("param".count) + "bin" : path + ".bin"
  }
}

/// The `.bin` file: all layers' numbers one after the other, each run of marked ones with how it is
/// stored before it (ncnn/src/modelbin.cpp).
struct NCNNBinary {
  /// How a run of numbers is stored.
  enum Storage: Sendable {
    case plain(ElementType)
    /// A table of 256 numbers, and one byte for each element.
    case table
  }

  /// Where a tensor is.
  struct Entry: Sendable {
    var name: String
    var shape: [Int]
    var offset: Int
    var storage: Storage

    /// What the elements are once read.
    var elementType: ElementType {
      if case .plain(let type) = storage { type } else { .float32 }
    }
  }

  private let open: OpenFile
  private(set) var entries: [Entry] = []
  private var position = 0

  init(_ path: String) throws(CheckpointError) { open = try OpenFile(path) }

  /// Passes over the next run of numbers.
  mutating func append(_ weight: NCNNWeight, name: String) throws(CheckpointError) {
    let path = open.file.path
    guard let count = try? Tensor.count(of: weight.shape) else {
      throw .damaged(path: path, part: name, reason: "shape \(weight.shape) overflows")
    }
    var storage = Storage.plain(.float32)
    if weight.isMarked {
      var cursor = ByteCursor(
        try open.file.read(at: position, count: 4, part: name), path: path, part: name)
      switch try cursor.number(bytes: 4) {
      case 0, 0x0002_C056: break
      case 0x0130_6B47: storage = .plain(.float16)
      case 0x000D_4B38:
        throw .unsupported(path: path, what: "\(name): weights of 8 bits")
      default: storage = .table
      }
      position += 4
    }
    let bytes: Int
    switch storage {
    case .plain(let type): bytes = (count * type.byteCount + 3) / 4 * 4
    case .table: bytes = 1024 + (count + 3) / 4 * 4
    }
    let left = open.file.byteCount - position
    guard bytes <= left else {
      throw .truncated(path: path, part: name, expected: bytes, found: left)
    }
    entries.append(Entry(name: name, shape: weight.shape, offset: position, storage: storage))
    position += bytes
  }

  /// Sees to it that nothing is left.
  func finish() throws(CheckpointError) {
    guard position == open.file.byteCount else {
      throw .damaged(
        path: open.file.path, part: "the weights",
        reason: "expected \(position) bytes for the layers, found \(open.file.byteCount)")
    }
  }

  /// Reads a tensor as it lies in the file.
  func tensor(_ entry: Entry) throws(CheckpointError) -> Tensor {
    let path = open.file.path
    let count = entry.shape.reduce(1, *)
    switch entry.storage {
    case .plain(let type):
      let bytes = try open.file.read(
        at: entry.offset, count: count * type.byteCount, part: entry.name)
      return try Tensor(
        shape: entry.shape, elementType: type, bytes: bytes[...], path: path, part: entry.name)
    case .table:
      let bytes = try open.file.read(at: entry.offset, count: 1024 + count, part: entry.name)
      let table = try Tensor(
        shape: [256], elementType: .float32, bytes: bytes[..<1024], path: path, part: entry.name
      ).floats
      do {
        return try Tensor(shape: entry.shape, bytes[1024...].map { table[Int($0)] })
      } catch {
        throw .damaged(path: path, part: entry.name, reason: error.description)
      }
    }
  }
}

/// One line of an ncnn `.param` file: a layer, what it takes and gives, and its numbered attributes
/// (ncnn/docs/developer-guide/param-and-model-file-structure.md).
package struct NCNNLayer: Hashable, Sendable {
  /// The class: `Convolution`.
  package var type: String
  /// The layer's own name.
  package var name: String
  /// The blobs that it takes.
  package var inputs: [String]
  /// The blobs that it gives.
  package var outputs: [String]
  /// The line in the file, from 1.
  package var line: Int
  /// The attributes by number, each as one or several numbers.
  var attributes: [Int: [Double]] = [:]

  /// Whether the file states an attribute.
  package func has(_ number: Int) -> Bool { attributes[number] != nil }

  /// An attribute that is one number.
  package func number(_ number: Int, default absent: Double = 0) -> Double {
    attributes[number]?.first ?? absent
  }

  /// An attribute that is several numbers.
  package func numbers(_ number: Int) -> [Double] { attributes[number] ?? [] }

  /// An attribute that is an integer; nil where the number has a fraction or is beyond 2^31, as
  /// none of ncnn's is.
  package func integer(_ number: Int, default absent: Int = 0) -> Int? {
    guard let value = attributes[number]?.first else { return absent }
    return value.magnitude <= 0x1p31 ? Int(exactly: value) : nil
  }

  /// An attribute that is several integers; nil as `integer`.
  package func integers(_ number: Int) -> [Int]? {
    let values = numbers(number)
    let integers = values.filter { $0.magnitude <= 0x1p31 }.compactMap { Int(exactly: $0) }
    return integers.count == values.count ? integers : nil
  }
}

/// An ncnn network: layers in order of execution.
package struct NCNNNetwork: Hashable, Sendable {
  /// The layers; each takes only blobs that earlier ones give.
  package var layers: [NCNNLayer]
}

/// Networks of ncnn as graphs of ours.
package enum NCNNModel {
  /// The graph of an ncnn file and its weights.
  ///
  /// Layers keep their names, and so do outputs: those of the blobs that no layer takes. Input
  /// sizes are let go wherever the network runs on any, as ncnn lets them go. Reads the elements of
  /// constants only.
  ///
  /// - Parameter file: one that `WeightsFile.read` found to be `.ncnnParameters`.
  /// - Throws: `InterchangeError.layer` for a layer that no operation computes, `.description` for
  ///   a file of another kind, `.weights` and `.graph` where layers do not fit each other.
  package static func graph(_ file: WeightsFile) throws(InterchangeError) -> ImportedGraph {
    guard case .ncnn(let network)? = file.network else {
      throw .description(part: file.path, problem: "expected an ncnn network")
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
            name: parameter.name, shape: parameter.shape, elementType: .int64, isNonPersistent: true
          ))
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
