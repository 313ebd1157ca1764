internal import AviaryCheckpoint
internal import AviaryContainers
internal import AviaryFiles
internal import AviaryGraph
internal import AviaryTensor
internal import FoundationEssentials
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// The file that was at a path before writing, kept until the new one has been verified.
///
/// Kept as a hard link in the same folder, which costs nothing. If the file system or the system's
/// settings do not allow one (`fs.protected_hardlinks`, for somebody else's file), a copy is kept.
struct PreviousFile {
  /// With symbolic links resolved, as for writing: a hard link to a symbolic link would lead to the
  /// new file.
  private let path: FilePath
  private let kept: FilePath?
  private let wasThere: Bool

  /// - Parameter isLinked: whether to try a hard link before copying.
  /// - Throws: `CheckpointError.cannotWrite` if the file can be kept in neither way.
  init(_ path: String, isLinked: Bool = true) throws(CheckpointError) {
    let place: FilePath
    do throws(FileError) { place = try AtomicFile.resolved(path) } catch {
      throw CheckpointError(error)
    }
    self.path = place
    wasThere = unsafe place.withPlatformString { unsafe access($0, F_OK) } == 0
    guard wasThere else {
      kept = nil
      return
    }
    let name = AtomicFile.temporaryName(beside: place, ending: "previous")
    kept = name
    let isKept = unsafe place.withPlatformString { place in
      unsafe name.withPlatformString { unsafe isLinked && link(place, $0) == 0 }
    }
    if isKept { return }
    do { try FileManager.default.copyItem(atPath: place.string, toPath: name.string) } catch {
      PreviousFile.remove(name)
      throw .cannotWrite(
        path: path, reason: "what is there cannot be kept until the new file is checked")
    }
  }

  /// Restores the previous file; if there was none, removes the new one.
  func restore() {
    if let kept {
      // If nothing was written, both names are the same file, and renaming does nothing.
      _ = unsafe kept.withPlatformString { kept in
        unsafe path.withPlatformString { unsafe rename(kept, $0) }
      }
      PreviousFile.remove(kept)
    } else if !wasThere {
      PreviousFile.remove(path)
    }
  }

  /// Discards the previous file.
  func discard() {
    if let kept { PreviousFile.remove(kept) }
  }

  private static func remove(_ path: FilePath) {
    _ = unsafe path.withPlatformString { unsafe unlink($0) }
  }
}

/// Checks tensors on their way to a file, so that none is read for this alone.
final class FiniteMonitor: Sendable {
  private let found = Mutex<Set<String>>([])

  /// The names of the checked tensors with NaN or infinite values, sorted.
  var notFinite: [String] { found.withLock { $0.sorted() } }

  /// The same tensors, checked as they are read.
  func watching(_ source: TensorSource) -> TensorSource {
    TensorSource(source.descriptions) { (position) throws(CheckpointError) in
      let tensor = try source.tensor(at: position)
      if !tensor.isFinite { self.found.withLock { _ = $0.insert(source[position].name) } }
      return tensor
    }
  }
}

extension Tensor {
  /// Whether every value is finite.
  fileprivate var isFinite: Bool {
    guard elementType.isFloatingPoint else { return true }
    return unsafe converted(to: .float32).withFloats { values in
      // The sum of zeros is zero unless a factor was NaN or infinite. The loop has no branches, so
      // the compiler vectorises it.
      var sum: Float = 0
      for i in values.indices { unsafe sum += values[i] * 0 }
      return sum == 0
    }
  }
}

/// An image of noise, always the same, on which two networks are compared.
struct TestImage {
  /// Its height and width: what the network needs, and a little more, so that borders and insides
  /// both count.
  let size: Size
  private var inputs: [Tensor]

  /// Two networks that should be one, as they are compared: of a size that can be computed on the
  /// way. One of a stated size may want more memory than a conversion has; where its operations
  /// take others, a smaller image shows as much.
  ///
  /// - Returns: nil where they take but the one.
  static func comparable(_ graph: Graph, _ written: Graph) -> (Graph, Graph)? {
    let isSmall = graph.inputs.allSatisfy { input in
      guard let size = input.size else { return true }
      let (pixels, overflow) = size.height.multipliedReportingOverflow(by: size.width)
      return !overflow && pixels <= 1 << 19
    }
    if isSmall { return (graph, written) }
    guard let own = graph.ofAnySize, let other = written.ofAnySize,
      let shapes = try? TestImage(for: own).inputs.map(\.shape),
      (try? own.shapes(for: shapes)) != nil, (try? other.shapes(for: shapes)) != nil
    else { return nil }
    return (own, other)
  }

  /// An image that a network can take.
  ///
  /// - Throws: `TensorError` for a network of more channels than there is memory for.
  init(for graph: Graph) throws {
    let rule = graph.sizeRule()
    func side(_ wanted: Int) -> Int {
      let least = max(wanted, rule.minimum)
      return (least + rule.exactMultiple - 1) / rule.exactMultiple * rule.exactMultiple
    }
    // Of many weights each is used often enough on a smaller one.
    let isLarge = graph.parameterCount > 1 << 24
    let size =
      graph.inputs[0].size ?? (isLarge ? Size(side(12), side(10)) : Size(side(24), side(20)))
    self.size = size
    // Knuth's generator of 64 bits: good enough for noise, and the same everywhere.
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    inputs = try graph.inputs.map { input in
      let shape = [
        1, input.channels, input.size?.height ?? size.height, input.size?.width ?? size.width,
      ]
      let values = (0..<(try Tensor.count(of: shape))).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) / Float(1 << 24)
      }
      return try Tensor(shape: shape, values)
    }
  }

  /// The same image with the last digit of every value changed, up and down in turn.
  func nudged() throws(TensorError) -> TestImage {
    var result = self
    result.inputs = try inputs.map { input throws(TensorError) in
      try Tensor(
        shape: input.shape,
        input.floats.enumerated().map { $0.isMultiple(of: 2) ? $1.nextUp : $1.nextDown })
    }
    return result
  }

  /// What a network gives for it, in the order of its outputs.
  ///
  /// - Throws: `CheckpointError` for weights that cannot be read, `ComputeError` for a network that
  ///   cannot be computed.
  func outputs(of graph: Graph, _ weights: TensorSource) throws -> [Tensor] {
    try GraphPartition(graph, inputShapes: inputs.map(\.shape)).run(inputs, weights)
  }
}

extension Graph {
  /// The same operations, for inputs whose size nothing states; nil where they do not allow that.
  fileprivate var ofAnySize: Graph? {
    try? Graph(
      inputs: inputs.map { Input($0.name, channels: $0.channels) }, nodes: nodes, outputs: outputs,
      frozen: frozen, initialValues: initialValues, aliases: aliases)
  }
}
