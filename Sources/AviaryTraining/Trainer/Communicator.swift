public import AviaryTensor

/// The processes that train a network together, each on its own part of every batch.
///
/// All processes call the same functions in the same order, and each call returns only when all
/// have made it. Sums are in rank order, so every process gets the same bits.
public protocol Communicator: Sendable {
  /// This process's index, from 0.
  var rank: Int { get }
  /// The number of processes.
  var size: Int { get }

  /// Replaces every number by the mean over the processes.
  func average(_ values: inout [Double]) throws

  /// Replaces every element of tensors by the mean over the processes.
  ///
  /// - Parameters:
  ///   - tensors: float32, of the same names and shapes in every process.
  ///   - names: the tensors to exchange, in this order.
  func average(_ tensors: inout [String: Tensor], _ names: [String]) throws

  /// Replaces tensors by those of rank 0; parameters as for `average`.
  func broadcast(_ tensors: inout [String: Tensor], _ names: [String]) throws

  /// The texts of all processes, in rank order.
  func gather(_ text: String) throws -> [String]

  /// Waits until all processes have reached this call.
  func barrier() throws
}

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
