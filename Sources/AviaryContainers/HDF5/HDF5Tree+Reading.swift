import AviaryFiles
import AviaryHDF5
package import AviaryTensor

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
      throw .damaged(path: path, part: dataSet.path, reason: "text expected, numbers found")
    }
    guard let text = dataSet.text else {
      throw .damaged(
        path: path, part: dataSet.path,
        reason: "one string expected, shape \(dataSet.shape) found")
    }
    return text
  }
}
