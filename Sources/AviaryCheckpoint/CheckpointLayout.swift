/// The names that make up the native format, for reader and writer alike.
enum CheckpointLayout {
  /// The value of the root attribute `format`.
  static let format = "aviary-checkpoint"

  /// Attributes of the root group.
  enum Root {
    static let format = "format"
    static let version = "format_version"
    static let architecture = "architecture"
    static let contentHash = "content_hash"
    static let createdBy = "created_by"
  }

  /// Members of the root group.
  enum Member {
    static let configuration = "configuration"
    static let graph = "graph"
    static let picture = "picture"
    static let card = "card"
    static let weights = "weights"
    static let training = "training"
    static let quantization = "quantization"
  }

  /// Attributes of the data sets in `/quantization`, and what is allowed of them.
  enum Quantization {
    /// Of what the input is made: `int8`, or `uint8` where it is never negative.
    static let inputType = "input_type"
    static let signed = "int8"
    static let unsigned = "uint8"
    /// What one step of the input is worth.
    static let inputScale = "input_step"
    /// More output channels than any convolution has.
    static let mostFilters = 1 << 20
  }

  /// Attributes and members of `/training`, and of the adversary in it.
  enum Training {
    static let progress = "progress"
    static let weights = "weights"
    static let adversary = "adversary"
    static let algorithm = "algorithm"
    static let step = "step"
    static let groups = "groups"
    static let optimizer = "optimizer"
  }

  /// Attributes of a tensor's data set.
  enum Attribute {
    /// The element type where HDF5 has none: `bfloat16` of uint16.
    static let elementType = "dtype"
    /// The tensor's place in the model's order, from 0; HDF5 itself lists by name.
    static let position = "position"
    /// `nonPersistent` for tensors outside the content hash; absent otherwise.
    static let role = "role"
    static let nonPersistent = "nonPersistent"
  }
}
