/// How large a graph may be. Far above any network known, and small enough that sums and products
/// of two stay within 64 bits: whatever comes from a file or a plugin is checked against these
/// before anything is calculated with it.
public enum GraphLimits {
  /// Nodes in a graph.
  public static let nodes = 20_000
  /// Inputs of one node, and inputs or outputs of a graph.
  public static let inputs = 1_024
  /// Dimensions of a value.
  public static let rank = 8
  /// Channels and features.
  public static let channels = 1 << 20
  /// Sides of kernels, strides, dilations, padding, crops and shuffles.
  public static let window = 1 << 12
  /// The multiple of pixels at which a network's strides all meet. Larger ones are not looked into,
  /// as that takes trying every size up to it.
  public static let period = 1 << 10
  /// The size of any one dimension.
  public static let dimension = Int(Int32.max)
  /// Elements of any one value or parameter: below this number.
  public static let elements = 1 << 48
  /// Bytes of a name.
  public static let name = 512
}
