public import AviaryTensor

/// A single process: nothing is exchanged.
public struct OneProcess: Communicator {
  /// The only one.
  public init() {}

  /// 0.
  public var rank: Int { 0 }
  /// 1.
  public var size: Int { 1 }

  /// The mean of one is itself.
  public func average(_ values: inout [Double]) {}
  /// The mean of one is itself.
  public func average(_ tensors: inout [String: Tensor], _ names: [String]) {}
  /// Rank 0 already has them.
  public func broadcast(_ tensors: inout [String: Tensor], _ names: [String]) {}
  /// Its own text.
  public func gather(_ text: String) -> [String] { [text] }
  /// There is nobody to wait for.
  public func barrier() {}
}
