import AviaryGraph
import CKernels
import AviaryThreads

/// Convolutions of which each takes what the one before gives, line by line: what lies between them
/// never leaves the cache. Vectors hold neighbouring pixels of a plane instead of channels, so that
/// three channels are calculated as fast as sixty.
struct SpatialConvolutions {
  /// One of them. The numbers of its parts are those of the kernel's operands.
  struct Stage {
    var channels: Int
    /// Of all squares' pixels together, where there are squares.
    var outChannels: Int
    /// Of the kernel as it is calculated.
    var kernel: Size
    var dilation: Size
    /// How far above and left of its input the first tap of the first position lies.
    var top: Int
    var left: Int
    /// How many positions are calculated.
    var rows: Int
    var columns: Int
    var activation: CheapActivation
    var weights: Int
    var bias: Int?
    var slopes: Int?
  }

  private let stages: [Stage]
  private let input: aviary_image
  private let factor: Int
  private let padding: (top: Int, left: Int)
  /// NCHW.
  private let output: [Int]
  private let adds: Bool
  private let final: CheapActivation

  /// The most of them that can be done at once.
  static let most = Int(aviary_most_plane_stages)

  /// - Parameters:
  ///   - input: what the first of them takes.
  ///   - factor: how many rows and columns the squares have that the last one's filters give.
  ///   - padding: how many of the first squares' rows and columns lie outside of the output.
  ///   - output: the shape of the result, which is nchw.
  ///   - adds: whether the result is added to what stands there.
  ///   - final: what is done to the sum.
  init(
    _ stages: [Stage], input: IRGraph.Value, factor: Int, padding: (top: Int, left: Int),
    output: [Int], adds: Bool, final: CheapActivation
  ) {
    (self.stages, self.factor, self.padding) = (stages, factor, padding)
    (self.output, self.adds, self.final) = (output, adds, final)
    let (channels, height, width) = (input.shape[1], input.shape[2], input.shape[3])
    let depth = Grid(input.shape, input.memoryFormat).depth
    let isNCHW = depth == 1
    // Where 16 channels lie together, so many begin after whole planes of them.
    self.input = aviary_image(
      height: height, width: width, channels: channels, row: width * depth, pixel: depth,
      group: input.memoryFormat == .nhwc ? MemoryFormat.block : MemoryFormat.block * height * width,
      channel: isNCHW ? height * width : 1)
  }

  /// The numbers of scratch memory that all parts of the work need, one after another.
  func scratchCount(_ workers: ThreadPool) -> Int { scratchStep * parts(workers) }

  private var scratchStep: Int {
    // Sizes alone matter.
    unsafe withPlanes({ _ in nil }) { unsafe aviary_planes_scratch($0) }.roundedUp(
      to: MemoryFormat.block)
  }

  private var lines: Int { output[0] * (stages.last?.rows ?? 0) }

  /// A part has some lines, lest most of its work be what it has in common with its neighbours.
  private func parts(_ workers: ThreadPool) -> Int { max(min(workers.count, lines / 8), 1) }

  /// - Parameter memory: the input, the output, scratch memory, and what the stages name.
  func run(_ memory: KernelMemory, _ workers: ThreadPool) {
    let parts = parts(workers), step = scratchStep
    let kind = stages.reduce(0) {
      $0 + $1.outChannels * $1.channels * $1.kernel.height * $1.kernel.width * $1.rows * $1.columns
    }
    unsafe withPlanes({ unsafe UnsafePointer(memory[$0]) }) { planes in
      workers.split(parts, cost: output[0] * kind / parts / 16) { range in
        for part in range {
          unsafe aviary_planes_run(
            planes, memory[0], memory[1], memory[2] + part * step, lines * part / parts,
            lines * (part + 1) / parts)
        }
      }
    }
  }

  /// Calls `body` with the work in C's terms.
  ///
  /// - Parameter place: where an operand lies.
  private func withPlanes<R>(
    _ place: (Int) -> UnsafePointer<Float>?, _ body: (UnsafePointer<aviary_planes>) -> R
  ) -> R {
    let stages = unsafe stages.map { stage in
      unsafe aviary_plane_stage(
        channels: stage.channels, filters: stage.outChannels,
        kernel_height: stage.kernel.height,
        kernel_width: stage.kernel.width, dilation_height: stage.dilation.height,
        dilation_width: stage.dilation.width, top: stage.top, left: stage.left, rows: stage.rows,
        columns: stage.columns, weights: place(stage.weights), bias: stage.bias.flatMap(place),
        activation: stage.activation.forC(slopes: stage.slopes.flatMap(place)))
    }
    return unsafe stages.withUnsafeBufferPointer { stages in
      var planes = unsafe aviary_planes(
        count: stages.count, stages: stages.baseAddress, input: input, factor: factor,
        crop_top: padding.top, crop_left: padding.left, height: output[2], width: output[3],
        adds: adds ? 1 : 0, final: final.forC())
      return unsafe body(&planes)
    }
  }
}
