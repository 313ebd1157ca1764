/// One of several pictures to enlarge.
public struct PictureJob: Sendable {
  /// The file to read.
  public var input: String
  /// The file to write, or why there is none.
  public var output: Result<String, any Error>

  /// A picture.
  public init(input: String, output: Result<String, any Error>) {
    (self.input, self.output) = (input, output)
  }
}

/// What is told while several pictures are enlarged.
public enum PictureEvent {
  /// A share, 0 to 1, of this picture is done.
  case progress(Int, Double)
  /// This picture is done, or failed. Pictures are told of in their order.
  case finished(Int, Result<UpscaleReport, any Error>)
}
