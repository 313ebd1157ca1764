import AviaryTensor

extension HDF5Tree {
  /// How many objects a file may have, and how deep groups may nest.
  private static let limits = (objects: 1 << 18, depth: 64)

  /// Reads all that a file says, in this process.
  ///
  /// - Throws: `CheckpointError`, also for links that lead out of the file and groups that hold
  ///   themselves.
  init(reading path: String, access: HDF5Access) throws(CheckpointError) {
    let file = try HDF5File(reading: path)
    var walk = Walk(path: path)
    let root = try walk.group(try file.root(), path: "/", depth: 0)
    self.init(path: path, root: root, contents: OpenFile(path: path, file: file))
  }

  /// The file kept open for its elements.
  private final class OpenFile: HDF5Contents {
    private let path: String
    private let file: HDF5File

    init(path: String, file: consuming HDF5File) {
      self.path = path
      self.file = file
    }

    func tensor(_ dataSet: DataSet) throws(CheckpointError) -> Tensor {
      try file.root().dataSet(String(dataSet.path.dropFirst())).tensor()
    }

    func string(_ dataSet: DataSet) throws(CheckpointError) -> String {
      try file.root().dataSet(String(dataSet.path.dropFirst())).string()
    }
  }

  private struct Walk {
    let path: String
    var objects = 0

    mutating func group(
      _ group: borrowing HDF5Group, path: String, depth: Int
    ) throws(CheckpointError) -> Group {
      guard depth <= limits.depth else {
        throw .tooLarge(
          path: self.path, part: "groups inside groups", limit: limits.depth, found: depth)
      }
      var result = Group(
        path: path, attributes: try HDF5Attribute.all(of: group.handle, path, self.path))
      for name in try group.memberNames() {
        objects += 1
        guard objects <= limits.objects else {
          throw .tooLarge(
            path: self.path, part: "objects", limit: limits.objects, found: objects)
        }
        let place = path == "/" ? "/" + name : path + "/" + name
        switch try group.kind(of: name) {
        case .group:
          result.members.append(
            (name, .group(try self.group(try group.group(name), path: place, depth: depth + 1))))
        case .dataSet:
          let dataSet = try group.dataSet(name)
          result.members.append(
            (
              name,
              .dataSet(
                DataSet(
                  path: place, number: objects, shape: dataSet.shape,
                  elementType: try? dataSet.elementType(), offset: dataSet.offset,
                  storedByteCount: dataSet.storedByteCount,
                  attributes: try HDF5Attribute.all(of: dataSet.handle, place, self.path)))
            ))
        }
      }
      return result
    }
  }
}
