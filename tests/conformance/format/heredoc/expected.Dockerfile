FROM alpine
RUN <<EOF
from x  


  echo a \  
EOF
COPY <<-A <<"B" /x/
	a  
	A
b	
B
RUN c
