public import AviaryTensor

/// The processes that train one network together, each on its own part of every batch.
///
/// All processes call the same functions in the same order; each call ends only when all have made
/// it. Sums are in the order of the ranks, so that every process has the same bits.
public protocol Communicator: Sendable {
  /// Which process this is, from 0.
  var rank: Int { get }
  /// How many there are.
  var size: Int { get }

  /// Replaces every number by the mean over the processes.
  func average(_ values: inout [Double]) throws

  /// Replaces every element of tensors by the mean over the processes.
  ///
  /// - Parameters:
  ///   - tensors: float32, of the same names and shapes in every process.
  ///   - names: which, in the order in which they are exchanged.
  func average(_ tensors: inout [String: Tensor], _ names: [String]) throws

  /// Replaces tensors by those of rank 0; parameters as for `average`.
  func broadcast(_ tensors: inout [String: Tensor], _ names: [String]) throws

  /// The texts of all processes, in the order of the ranks.
  func gather(_ text: String) throws -> [String]

  /// Waits until all processes are here.
  func barrier() throws
}
