import tornado.ioloop
import tornado.web


class Main(tornado.web.RequestHandler):
    def get(self):
        self.write("Hello")


tornado.web.Application([(r"/", Main)]).listen(8888)
tornado.ioloop.IOLoop.current().start()
