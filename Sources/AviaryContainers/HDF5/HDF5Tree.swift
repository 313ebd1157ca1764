import AviaryFiles
import AviaryHDF5
package import AviaryTensor

/// All that an HDF5 file says, in one walk: groups, attributes, data sets. Elements are read when
/// asked for.
///
/// A plain value: who reads an HDF5 format sees only this, and not how the file was opened.
package struct HDF5Tree: Sendable {
  /// The file as the caller named it.
  package let path: String
  /// The group that holds everything.
  package let root: Group
  /// What gives the elements.
  let reader: HDF5Reader

  /// A group or a data set.
  package enum Member: Sendable {
    case group(Group)
    case dataSet(DataSet)
  }

  /// A folder of data sets and further groups, with attributes.
  package struct Group: Sendable {
    /// Where it is: `/` or `/model_weights/conv2d`.
    package var path: String
    package var attributes: [String: HDF5Attribute] = [:]
    /// What it holds, sorted by the bytes of the names: never the model's order.
    package var members: [(name: String, member: Member)] = []

    /// The member of that name.
    package subscript(name: String) -> Member? { members.first { $0.name == name }?.member }

    /// The group of that name in this group; nil where there is none.
    package func group(_ name: String) -> Group? {
      if case .group(let group)? = self[name] { group } else { nil }
    }

    /// The data set of that name in this group, or further down by a path of several names; nil
    /// where there is none.
    package func dataSet(_ name: String) -> DataSet? {
      var group = self
      var parts = name.split(separator: "/").map(String.init)[...]
      while parts.count > 1 {
        guard let next = group.group(parts.removeFirst()) else { return nil }
        group = next
      }
      guard let last = parts.first, case .dataSet(let dataSet)? = group[last] else { return nil }
      return dataSet
    }
  }

  /// An array of numbers, or a string.
  package struct DataSet: Equatable, Sendable {
    /// Where it is: `/model_weights/conv2d/conv2d/kernel:0`.
    package var path: String
    /// Its number among the file's objects, in the order of their paths.
    package var number: Int
    /// The dimensions; empty for a scalar.
    package var shape: [Int]
    /// What the elements are; nil for text, and for what is neither numbers nor text.
    package var elementType: ElementType?
    /// Where the elements begin in the file; nil if they do not lie in one piece.
    package var offset: Int?
    /// The bytes that the elements take in the file.
    package var storedByteCount: Int
    /// Whether it holds text.
    package var isText = false
    /// The text, where it is one string.
    package var text: String?
    /// Whether the elements at `offset` are as they are in memory.
    package var isPlain = false
    /// Whether the elements are compressed.
    package var isFiltered = false
    package var attributes: [String: HDF5Attribute] = [:]
  }
}

extension HDF5Tree {
  /// Reads all that a file says; elements are read when asked for.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - range: where in it the HDF5 file is, if it is a part of the file, stored as it is.
  ///   - access: who reads it.
  /// - Throws: `CheckpointError`, also for links that lead out of the file, groups that hold
  ///   themselves, elements in other files and filters other than deflate and shuffle;
  ///   `.readerFailed` if the helper program crashed, took too long or made no sense.
  package init(
    reading path: String, range: Range<Int>? = nil, access: HDF5Access
  ) throws(CheckpointError) {
    try self.init(try HDF5Range(try InputFile(weights: path), range), access)
  }

  private init(_ range: consuming HDF5Range, _ access: HDF5Access) throws(CheckpointError) {
    switch access {
    case .trusted: try self.init(HDF5Reader(trusting: range))
    case .isolated:
      let helper = try HDF5Helper.installed(for: range.file.path)
      let reader = HDF5Reader(isolating: range, helper)
      if let root = HDF5Outline.root(of: reader) {
        self.init(path: reader.range.file.path, root: root, reader: reader)
      } else {
        try self.init(reader)
      }
    }
  }

  /// Reads all that a reader says of its file.
  init(_ reader: HDF5Reader) throws(CheckpointError) {
    let (path, byteCount) = (reader.range.file.path, reader.range.byteCount)
    var decoder = Decoder(try reader.answer(), path: path, byteCount: byteCount)
    self.init(path: path, root: try decoder.root(), reader: reader)
  }
}

extension HDF5Tree {
  /// The elements of a data set of numbers.
  ///
  /// - Throws: `CheckpointError`: `.unsupported` for elements of another type, `.tooLarge` for more
  ///   than the file can hold, and what reading throws.
  package func tensor(_ dataSet: DataSet) throws(CheckpointError) -> Tensor {
    guard let elementType = dataSet.elementType else {
      throw .unsupported(
        path: path, what: "\(dataSet.path): elements of another type than numbers")
    }
    let byteCount: Int
    do {
      byteCount = try HDF5Limits.byteCount(
        dataSet.shape, elementType.byteCount, stored: dataSet.storedByteCount,
        isFiltered: dataSet.isFiltered, part: dataSet.path)
    } catch {
      throw CheckpointError(error, in: path)
    }
    var tensor: Tensor
    do {
      tensor = try Tensor(zeros: dataSet.shape, elementType: elementType)
    } catch {
      throw .damaged(path: path, part: dataSet.path, reason: error.description)
    }
    if byteCount == 0 { return tensor }
    try unsafe tensor.withUnsafeMutableBytes { (bytes) throws(CheckpointError) in
      // Most weights lie in the file as they are in memory, and need no library.
      if dataSet.isPlain, let offset = dataSet.offset, dataSet.storedByteCount == byteCount {
        try unsafe reader.range.fill(bytes, at: offset, part: dataSet.path)
      } else {
        try unsafe reader.read(dataSet, into: bytes)
      }
    }
    return tensor
  }

  /// A data set as one string.
  ///
  /// - Throws: `CheckpointError.damaged` for numbers, or several strings.
  package func string(_ dataSet: DataSet) throws(CheckpointError) -> String {
    guard dataSet.isText else {
      throw .damaged(path: path, part: dataSet.path, reason: "expected text, found numbers")
    }
    guard let text = dataSet.text else {
      throw .damaged(
        path: path, part: dataSet.path,
        reason: "expected one string, found shape \(dataSet.shape)")
    }
    return text
  }
}

extension HDF5Kind {
  /// The numbers as tensors know them; nil for what is none.
  var elementType: ElementType? {
    switch self {
    case .other, .text: nil
    case .float16: .float16
    case .float32: .float32
    case .float64: .float64
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .uint64: .uint64
    }
  }

  /// What tensors' elements are in HDF5; bfloat16 and bool are their bits.
  init(_ type: ElementType) {
    self =
      switch type {
      case .float16: .float16
      case .float32: .float32
      case .float64: .float64
      case .int8: .int8
      case .int16: .int16
      case .int32: .int32
      case .int64: .int64
      case .uint8, .bool: .uint8
      case .uint16, .bfloat16: .uint16
      case .uint32: .uint32
      case .uint64: .uint64
      }
  }
}

/// The value of an attribute: one or many strings, integers or floats.
package enum HDF5Attribute: Equatable, Sendable {
  case strings([String])
  case integers([Int])
  case floats([Double])

  /// The attribute as one string.
  package var string: String? {
    if case .strings(let values) = self, values.count == 1 { values[0] } else { nil }
  }

  /// The attribute as one integer.
  package var integer: Int? {
    if case .integers(let values) = self, values.count == 1 { values[0] } else { nil }
  }
}

/// How HDF5 files are read. The library that reads them has faults of memory that a crafted file
/// can reach.
public enum HDF5Access: Hashable, Sendable {
  /// Without the library where a file is as simple as checkpoints are, else by the package's helper
  /// program `aviary-hdf5`, which can open nothing and write nothing: for files from anywhere.
  case isolated
  /// In this process: for files whose writer is trusted, and for programs installed without the
  /// helper.
  case trusted
}
