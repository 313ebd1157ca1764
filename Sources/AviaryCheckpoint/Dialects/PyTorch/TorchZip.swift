/// PyTorch's container since 1.6.
enum TorchZip {
  static func read(_ path: String) throws(CheckpointError) -> StateDict {
    throw .unsupported(path: path, what: "x")
  }
}
/// PyTorch's container before 1.6.
enum TorchLegacy {
  static func read(_ path: String) throws(CheckpointError) -> StateDict {
    throw .unsupported(path: path, what: "x")
  }
}
