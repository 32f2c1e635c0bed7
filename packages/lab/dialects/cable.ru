# An Action Cable server with one channel, without Rails.
require "action_cable"

config = ActionCable.server.config
config.cable = { "adapter" => "async" }
config.disable_request_forgery_protection = true
config.logger = Logger.new(File::NULL)
config.connection_class = -> { ActionCable::Connection::Base }

class EchoChannel < ActionCable::Channel::Base
  periodically(every: 0.2) { transmit("tick") if params["ticks"] }

  def echo(data)
    transmit(data["text"])
  end
end

run ActionCable.server
